// SPDX-License-Identifier: Apache-2.0
// Searching and changing allocation bitmaps, a word at a time.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::fs::ext4 {

inline u64 bitmap_word(const u8* bits, u32 index) {
  u64 word;
  __builtin_memcpy(&word, bits + usize{index} * 8, 8);
  return word;
}

// The first bit in [from, end) with the value, or `end`.
inline u32 find_bit(const u8* bits, u32 from, u32 end, bool value) {
  while (from < end) {
    u64 word = bitmap_word(bits, from / 64);
    if (!value) word = ~word;
    word >>= from % 64;
    if (word != 0) return min(end, from + static_cast<u32>(__builtin_ctzll(word)));
    from = (from / 64 + 1) * 64;
  }
  return end;
}
inline bool bit_is_set(const u8* bits, u32 at) {
  return (bits[at / 8] >> (at % 8) & 1) != 0;
}
inline void set_bits(u8* bits, u32 from, u32 count) {
  for (; count > 0 && from % 8 != 0; ++from, --count)
    bits[from / 8] = static_cast<u8>(bits[from / 8] | 1u << (from % 8));
  __builtin_memset(bits + from / 8, 0xFF, count / 8);
  for (from += count / 8 * 8, count %= 8; count > 0; ++from, --count)
    bits[from / 8] = static_cast<u8>(bits[from / 8] | 1u << (from % 8));
}
inline void clear_bits(u8* bits, u32 from, u32 count) {
  for (; count > 0; ++from, --count)
    bits[from / 8] = static_cast<u8>(bits[from / 8] & ~(1u << (from % 8)));
}

}  // namespace uni::fs::ext4
