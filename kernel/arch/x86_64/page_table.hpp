// SPDX-License-Identifier: Apache-2.0
// Four-level page tables (SDM volume 3, 4.5). Tables are reached through the direct map.
#pragma once

#include "kernel/arch/x86_64/pcid.hpp"
#include "kernel/base/result.hpp"
#include "kernel/mm/page.hpp"

namespace uni::arch {

enum PteFlag : u64 {
  kPtePresent = 1u << 0,
  kPteWrite = 1u << 1,
  kPteUser = 1u << 2,
  kPteWriteThrough = 1u << 3,
  kPteNoCache = 1u << 4,
  kPteAccessed = 1u << 5,
  kPteDirty = 1u << 6,
  kPteHuge = 1u << 7,
  kPteGlobal = 1u << 8,
  kPteNoExec = u64{1} << 63,
};
inline constexpr u64 kPteAddress = 0x000f'ffff'ffff'f000;
inline constexpr usize kHugeSize = 2 * kMiB;

using Pte = u64;

// The physical addresses and slides that early.cpp chose; set once, before anything else runs.
struct KernelLayout {
  u64 link_base;       // of the image's first byte, as linked
  u64 slide;           // added to link addresses
  u64 image_physical;  // where the image lies
  u64 image_size;
  u64 direct_map;  // virtual address of physical 0
  u64 root_table;  // physical address of the kernel's PML4
};
extern KernelLayout layout;

// Entry for `address` at the 4 KiB level, or null where a table is missing; with create, missing tables are made (null:
// no memory). A 2 MiB mapping on the way is given as its own entry (level 2; *huge says so).
Pte* find_entry(u64 root_physical, u64 address, bool create, bool* huge);
// The entry of the 2 MiB level (for mapping a large page). Null when out of memory.
Pte* find_huge_entry(u64 root_physical, u64 address, bool create);

// A new address space's top table with the kernel's half filled in. Errors: NoMemory.
Result<mm::PhysAddr> create_root();
// Frees the tables of the user half (the mapped pages themselves were taken out before) and the top table.
void destroy_root(mm::PhysAddr root);

// Takes [start, end) out of the translation caches of this processor, and of all others in `cpus` (a bit each). `tag`:
// whose addresses these are, and the count of its invalidations with this one.
void flush_range(u64 start, u64 end, u64 cpus, TlbTag tag = {});

// Maps a page in the kernel's half (stacks, vDSO data). Errors: NoMemory.
Result<void> map_kernel_page(u64 address, mm::PhysAddr page, u64 flags);
void unmap_kernel_page(u64 address);
// Reserves kernel address space for stacks and devices; never given back.
u64 reserve_kernel_range(usize size);

}  // namespace uni::arch
