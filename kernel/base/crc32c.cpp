// SPDX-License-Identifier: Apache-2.0
#include "kernel/base/crc32c.hpp"

namespace uni {
namespace {

constexpr u32 kPolynomial = 0x82F63B78;  // reflected

// Four bits at a time: 64 bytes of table, for processors without the instruction.
struct NibbleTable {
  u32 entry[16];
  constexpr NibbleTable() : entry() {
    for (u32 i = 0; i < 16; ++i) {
      u32 c = i;
      for (int bit = 0; bit < 4; ++bit)
        c = (c >> 1) ^ ((c & 1) != 0 ? kPolynomial : 0);
      entry[i] = c;
    }
  }
};
constexpr NibbleTable kTable;

u32 by_table(u32 crc, const u8* p, usize size) {
  for (; size > 0; --size) {
    crc ^= *p++;
    crc = (crc >> 4) ^ kTable.entry[crc & 15];
    crc = (crc >> 4) ^ kTable.entry[crc & 15];
  }
  return crc;
}

#if defined(__x86_64__)
// SSE4.2, the `crc32` instruction on general registers (SDM volume 2, CRC32); CPUID.1:ECX bit 20.
bool has_instruction() {
  static u8 known = 0;  // 0 not asked, 1 no, 2 yes; a race only asks twice
  u8 k = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (k == 0) {
    u32 a = 1, b = 0, c = 0, d = 0;
    asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    k = (c & (1u << 20)) != 0 ? 2 : 1;
    __atomic_store_n(&known, k, __ATOMIC_RELAXED);
  }
  return k == 2;
}

u32 by_instruction(u32 crc, const u8* p, usize size) {
  u64 wide = crc;
  for (; size >= 8; size -= 8, p += 8) {
    u64 word;
    __builtin_memcpy(&word, p, 8);
    asm("crc32q %1, %0" : "+r"(wide) : "r"(word));
  }
  u32 narrow = static_cast<u32>(wide);
  for (; size > 0; --size, ++p)
    asm("crc32b %1, %0" : "+r"(narrow) : "r"(*p));
  return narrow;
}
#endif

}  // namespace

u32 crc32c(u32 crc, const void* data, usize size) {
  const u8* p = static_cast<const u8*>(data);
#if defined(__x86_64__)
  if (has_instruction()) return by_instruction(crc, p, size);
#endif
  return by_table(crc, p, size);
}

}  // namespace uni
