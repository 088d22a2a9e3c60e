// SPDX-License-Identifier: Apache-2.0
// A generator with fast key erasure: each use makes key-stream blocks, the first 32 bytes of which replace the key, so
// that what was given out cannot be computed again later. Bytes left of a block are kept for the next small request.
//
// Sources: the host's seed (boot configuration), RDRAND, the time-stamp counter, and virtio-rng where there is one
// (asked for once, when the first bytes are wanted; its answer is mixed in when it comes).
#include "kernel/dev/random.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/base/chacha20.hpp"
#include "kernel/base/utility.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/virtio/rng.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::random {
namespace {

constexpr usize kKeySize = 32;
constexpr u8 kNonce[12] = {};

class Generator {
 public:
  constexpr Generator() = default;

  // The key becomes the first half of a block keyed with (old key xor input); input longer than a key goes in pieces.
  void mix(const u8* data, usize size) {
    while (size != 0) {
      const usize n = min(size, kKeySize);
      for (usize i = 0; i < n; ++i)
        key_[i] ^= data[i];
      u8 block[kChaChaBlock];
      chacha20_block(chacha20_state(key_, 0, kNonce), block);
      __builtin_memcpy(key_, block, kKeySize);
      data += n;
      size -= n;
    }
    left_ = 0;
  }

  void fill(u8* out, usize size) {
    if (!seeded_) seed();
    while (size != 0) {
      if (left_ == 0) refill();
      const usize n = min(size, left_);
      u8* from = pool_ + sizeof pool_ - left_;
      __builtin_memcpy(out, from, n);
      __builtin_memset(from, 0, n);
      left_ -= n;
      out += n;
      size -= n;
    }
  }

 private:
  void refill() {
    u8 block[kChaChaBlock];
    chacha20_block(chacha20_state(key_, 0, kNonce), block);
    for (u32 i = 0; i < sizeof pool_ / kChaChaBlock; ++i)
      chacha20_block(chacha20_state(key_, i + 1, kNonce), pool_ + i * kChaChaBlock);
    __builtin_memcpy(key_, block, kKeySize);
    left_ = sizeof pool_;
  }

  void seed() {
    seeded_ = true;
    u64 words[kKeySize / 8];
    for (u64& w : words) {
      if (!arch::hardware_random(&w)) w = 0;
      w ^= arch::read_cycle_counter();
    }
    mix(reinterpret_cast<const u8*>(words), sizeof words);
    u8 host[kKeySize] = {};
    const StringView text = boot::config().get(BootKey::seed);
    for (usize i = 0; i < min(text.size(), 2 * kKeySize); ++i)
      host[i / 2] = static_cast<u8>(host[i / 2] << 4 | digit(text[i]));
    mix(host, sizeof host);
  }

  static u8 digit(char c) { return static_cast<u8>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15; }

  u8 key_[kKeySize] = {};
  u8 pool_[2 * kChaChaBlock] = {};
  usize left_ = 0;
  bool seeded_ = false;
};

constinit Guarded<Generator, Rank::kLeaf> generator;

}  // namespace

void add_entropy(const void* data, usize size) {
  const u64 now = arch::read_cycle_counter();
  generator.with([&](Generator& g) {
    g.mix(static_cast<const u8*>(data), size);
    g.mix(reinterpret_cast<const u8*>(&now), sizeof now);
  });
}

void fill(void* out, usize size) {
  dev::virtio::request_entropy();
  auto* at = static_cast<u8*>(out);
  // In pieces, so that one caller who wants megabytes does not keep the others spinning.
  while (size != 0) {
    const usize n = min(size, usize{1024});
    generator.with([&](Generator& g) { g.fill(at, n); });
    at += n;
    size -= n;
  }
}

u64 next_u64() {
  u64 value;
  fill(&value, sizeof value);
  return value;
}

u64 below(u64 bound) {
  if (bound <= 1) return 0;
  // Values below 2^64 mod bound are refused, so that the rest divides evenly.
  const u64 refused = (0 - bound) % bound;
  while (true) {
    const u64 value = next_u64();
    if (value >= refused) return value % bound;
  }
}

}  // namespace uni::random
