// SPDX-License-Identifier: Apache-2.0
// The symbol table is a byte stream sorted by address. Each entry: distance from the previous function (LEB128), how
// many bytes of the previous name it begins with, how many follow, and those. It is read from its start for each
// lookup: only a panic looks.
#include "kernel/boot/symbols.hpp"

#include "kernel/arch/machine.hpp"

// Made after the first link and linked in at the second (kernel/CMakeLists.txt); the first link has none.
extern "C" {
extern const uni::u8 kernel_symbols[] __attribute__((weak));
extern const uni::u8 kernel_symbols_end[] __attribute__((weak));
}

namespace uni::boot {

void write_symbol(Writer& out, u64 address) {
  const arch::CodeRange code = arch::kernel_code();
  if (address < code.start || address >= code.end || kernel_symbols == nullptr) {
    format(out, "{:#x}", address);
    return;
  }
  const u64 wanted = address - code.start;
  char name[256];
  usize name_size = 0;
  char best[256];
  usize best_size = 0;
  u64 at = 0, best_at = 0;
  const u8* p = kernel_symbols;
  while (p < kernel_symbols_end) {
    u64 distance = 0;
    for (unsigned shift = 0;; shift += 7) {
      distance |= u64{*p & 0x7fu} << shift;
      if ((*p++ & 0x80) == 0) break;
    }
    at += distance;
    name_size = *p++;
    const usize more = *p++;
    for (usize i = 0; i < more; ++i)
      name[name_size++ & 255] = static_cast<char>(*p++);
    if (at > wanted) break;
    __builtin_memcpy(best, name, name_size);
    best_size = name_size;
    best_at = at;
  }
  format(out, "{}+{:#x}", StringView(best, best_size), wanted - best_at);
}

}  // namespace uni::boot
