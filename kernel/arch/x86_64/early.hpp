// SPDX-License-Identifier: Apache-2.0
// What early.cpp leaves for the rest of the boot: the loader's facts, physical addresses.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::arch {

struct EarlyMemory {
  struct Range {
    u64 start, size;
    bool usable;
  } ranges[64];
  usize count;
  u64 next;  // the first free byte behind the kernel and its tables; page-aligned
  u64 command_line, rsdp, module, module_size;
};
extern EarlyMemory early_memory;

// Kernel stacks, devices and other late mappings; 512 GiB.
inline constexpr u64 kKernelRangeBase = 0xffff'ff00'0000'0000;

inline u64 read_cycle_counter_early() {
  u32 lo, hi;
  asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
  return (u64{hi} << 32) | lo;
}

// Goes on at the final address (kernel/arch/x86_64/start.cpp).
// Hidden: its address must be taken relative to the code, not from a table that relocation has changed.
extern "C" [[noreturn, gnu::visibility("hidden")]] void high_main();

}  // namespace uni::arch
