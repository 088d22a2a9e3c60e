// SPDX-License-Identifier: Apache-2.0
// Half-MD4 is MD4 (RFC 1320) cut to eight of the sixteen steps a round; TEA is Wheeler and Needham's cipher used as a
// compression function; the legacy hash is a multiplicative one. The names of files on disk depend on each bit.
#include "kernel/fs/ext4/dir_hash.hpp"

namespace uni::fs::ext4 {
namespace {

// Bytes of the name as the hash sees them: images from machines with signed char have their own versions.
u32 widen(char c, bool is_unsigned) {
  return is_unsigned ? static_cast<u32>(static_cast<u8>(c)) : static_cast<u32>(static_cast<i32>(static_cast<i8>(c)));
}

// Packs the next bytes of the name into words; what is missing is filled with the length.
void pack(StringView name, u32* words, usize count, bool is_unsigned) {
  u32 fill = static_cast<u32>(name.size()) | static_cast<u32>(name.size()) << 8;
  fill |= fill << 16;
  const usize used = min(name.size(), count * 4);
  u32 word = fill;
  usize n = 0;
  for (usize i = 0; i < used; ++i) {
    word = widen(name[i], is_unsigned) + (word << 8);
    if (i % 4 == 3) {
      words[n++] = word;
      word = fill;
    }
  }
  if (n < count) words[n++] = word;
  while (n < count)
    words[n++] = fill;
}

u32 rotate(u32 v, unsigned by) {
  return v << by | v >> (32 - by);
}

void half_md4(u32 (&state)[4], const u32 (&in)[8]) {
  static constexpr u8 kOrder[3][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 3, 5, 7, 0, 2, 4, 6}, {3, 7, 2, 6, 1, 5, 0, 4}};
  static constexpr u8 kShift[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
  static constexpr u32 kAdd[3] = {0, 0x5A827999, 0x6ED9EBA1};
  u32 s[4] = {state[0], state[1], state[2], state[3]};
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned step = 0; step < 8; ++step) {
      // The roles rotate: step k changes word -k mod 4 from the three that follow it.
      const unsigned t = (4 - step % 4) % 4;
      const u32 x = s[(t + 1) % 4], y = s[(t + 2) % 4], z = s[(t + 3) % 4];
      const u32 f = round == 0 ? z ^ (x & (y ^ z)) : round == 1 ? (x & y) + ((x ^ y) & z) : x ^ y ^ z;
      s[t] = rotate(s[t] + f + in[kOrder[round][step]] + kAdd[round], kShift[round][step % 4]);
    }
  }
  for (unsigned i = 0; i < 4; ++i)
    state[i] += s[i];
}

void tea(u32 (&state)[4], const u32 (&in)[4]) {
  u32 sum = 0, v0 = state[0], v1 = state[1];
  for (int cycle = 0; cycle < 16; ++cycle) {
    sum += 0x9E3779B9;
    v0 += ((v1 << 4) + in[0]) ^ (v1 + sum) ^ ((v1 >> 5) + in[1]);
    v1 += ((v0 << 4) + in[2]) ^ (v0 + sum) ^ ((v0 >> 5) + in[3]);
  }
  state[0] += v0;
  state[1] += v1;
}

u32 legacy(StringView name, bool is_unsigned) {
  u32 newer = 0x12A3FE2D, older = 0x37ABE8F9;
  for (char c : name) {
    u32 h = older + (newer ^ (widen(c, is_unsigned) * 7152373u));
    if ((h & 0x80000000u) != 0) h -= 0x7FFFFFFFu;
    older = newer;
    newer = h;
  }
  return newer << 1;
}

}  // namespace

u32 name_hash(StringView name, HashVersion version, const u32 (&seed)[4]) {
  u32 state[4] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  if ((seed[0] | seed[1] | seed[2] | seed[3]) != 0) __builtin_memcpy(state, seed, sizeof state);
  const bool is_unsigned = version >= kLegacyUnsigned;
  u32 hash = 0;
  switch (version) {
    case kHalfMd4:
    case kHalfMd4Unsigned:
      for (usize at = 0; at < name.size(); at += 32) {
        u32 in[8];
        pack(name.slice(at), in, 8, is_unsigned);
        half_md4(state, in);
      }
      hash = state[1];
      break;
    case kTea:
    case kTeaUnsigned:
      for (usize at = 0; at < name.size(); at += 16) {
        u32 in[4];
        pack(name.slice(at), in, 4, is_unsigned);
        tea(state, in);
      }
      hash = state[0];
      break;
    default:
      hash = legacy(name, is_unsigned);
  }
  hash &= ~1u;
  // The highest value marks the end of a directory in readdir cookies.
  return hash == 0xFFFFFFFEu ? 0xFFFFFFFCu : hash;
}

}  // namespace uni::fs::ext4
