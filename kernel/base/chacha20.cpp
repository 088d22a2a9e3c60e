// SPDX-License-Identifier: Apache-2.0
// ChaCha20 as RFC 8439 writes it down. Words are little-endian in memory, as is every machine that this runs on.
#include "kernel/base/chacha20.hpp"

namespace uni {
namespace {

constexpr u32 rotate(u32 value, unsigned count) {
  return value << count | value >> (32 - count);
}

void quarter_round(u32& a, u32& b, u32& c, u32& d) {
  a += b;
  d = rotate(d ^ a, 16);
  c += d;
  b = rotate(b ^ c, 12);
  a += b;
  d = rotate(d ^ a, 8);
  c += d;
  b = rotate(b ^ c, 7);
}

}  // namespace

ChaChaState chacha20_state(const u8* key, u32 counter, const u8* nonce) {
  ChaChaState s{{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}};  // "expand 32-byte k"
  __builtin_memcpy(&s.words[4], key, 32);
  s.words[12] = counter;
  __builtin_memcpy(&s.words[13], nonce, 12);
  return s;
}

void chacha20_block(const ChaChaState& state, u8* out) {
  u32 x[16];
  __builtin_memcpy(x, state.words, sizeof x);
  for (int i = 0; i < 10; ++i) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (int i = 0; i < 16; ++i)
    x[i] += state.words[i];
  __builtin_memcpy(out, x, sizeof x);
}

}  // namespace uni
