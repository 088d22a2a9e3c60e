// SPDX-License-Identifier: Apache-2.0
// Page-table walks and kernel mappings. User tables are guarded by their address space's lock; the kernel's own late
// mappings by kernel_lock. Level-3 tables of the kernel range exist from early.cpp on, so all address spaces share what
// is added below them.
#include "kernel/arch/x86_64/page_table.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/early.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::arch {
namespace {

constinit SpinLock kernel_lock{Rank::kPageTable};
u64 kernel_range_next = kKernelRangeBase;

u64* table_at(u64 entry) {
  return static_cast<u64*>(mm::phys_to_virt(mm::PhysAddr{entry & kPteAddress}));
}

u64* next_table(u64* entry, bool create, u64 flags) {
  if ((*entry & kPtePresent) == 0) {
    if (!create) return nullptr;
    mm::Page* page = mm::alloc_page(mm::Zero::kYes);
    if (page == nullptr) return nullptr;
    *entry = mm::raw(mm::phys_of(*page)) | flags;
  }
  return table_at(*entry);
}

void free_level(u64* table, int level) {
  for (int i = 0; i < (level == 4 ? 256 : 512); ++i) {
    const u64 e = table[i];
    if ((e & kPtePresent) == 0 || (e & kPteHuge) != 0) continue;
    if (level > 2) free_level(table_at(e), level - 1);
    mm::put_page(*mm::page_of(mm::PhysAddr{e & kPteAddress}));
  }
}

constexpr u64 kTableFlags = kPtePresent | kPteWrite | kPteUser;

}  // namespace

Pte* find_huge_entry(u64 root, u64 address, bool create) {
  u64* l4 = table_at(root);
  u64* l3 = next_table(&l4[(address >> 39) & 511], create, kTableFlags);
  if (l3 == nullptr) return nullptr;
  u64* l2 = next_table(&l3[(address >> 30) & 511], create, kTableFlags);
  if (l2 == nullptr) return nullptr;
  return &l2[(address >> 21) & 511];
}

Pte* find_entry(u64 root, u64 address, bool create, bool* huge) {
  *huge = false;
  Pte* e = find_huge_entry(root, address, create);
  if (e == nullptr) return nullptr;
  if ((*e & kPteHuge) != 0) {
    *huge = true;
    return e;
  }
  u64* l1 = next_table(e, create, kTableFlags);
  return l1 == nullptr ? nullptr : &l1[(address >> 12) & 511];
}

Result<mm::PhysAddr> create_root() {
  mm::Page* page = mm::alloc_page(mm::Zero::kYes);
  if (page == nullptr) return Errno::NoMemory;
  auto* l4 = static_cast<u64*>(mm::address_of(*page));
  const u64* kernel = table_at(layout.root_table);
  for (int i = 256; i < 512; ++i)
    l4[i] = kernel[i];
  return mm::phys_of(*page);
}

void destroy_root(mm::PhysAddr root) {
  free_level(static_cast<u64*>(mm::phys_to_virt(root)), 4);
  mm::put_page(*mm::page_of(root));
}

Result<void> map_kernel_page(u64 address, mm::PhysAddr page, u64 flags) {
  LockGuard guard(kernel_lock);
  u64* l4 = table_at(layout.root_table);
  u64* l3 = next_table(&l4[(address >> 39) & 511], true, kPtePresent | kPteWrite);
  u64* l2 = l3 == nullptr ? nullptr : next_table(&l3[(address >> 30) & 511], true, kPtePresent | kPteWrite);
  u64* l1 = l2 == nullptr ? nullptr : next_table(&l2[(address >> 21) & 511], true, kPtePresent | kPteWrite);
  if (l1 == nullptr) return Errno::NoMemory;
  l1[(address >> 12) & 511] = mm::raw(page) | flags | kPtePresent | kPteGlobal | kPteAccessed | kPteDirty;
  return {};
}

void unmap_kernel_page(u64 address) {
  LockGuard guard(kernel_lock);
  u64* l4 = table_at(layout.root_table);
  u64* l3 = next_table(&l4[(address >> 39) & 511], false, 0);
  u64* l2 = l3 == nullptr ? nullptr : next_table(&l3[(address >> 30) & 511], false, 0);
  u64* l1 = l2 == nullptr ? nullptr : next_table(&l2[(address >> 21) & 511], false, 0);
  if (l1 == nullptr) return;
  l1[(address >> 12) & 511] = 0;
  invlpg(address);
}

u64 reserve_kernel_range(usize size) {
  LockGuard guard(kernel_lock);
  const u64 at = kernel_range_next;
  kernel_range_next += page_up(size) + kPageSize;  // an unmapped page between neighbours
  return at;
}

}  // namespace uni::arch

namespace uni::mm {

void* map_device(PhysAddr address, usize size) {
  const u64 first = page_down(raw(address));
  const u64 last = page_up(raw(address) + size);
  const u64 base = arch::reserve_kernel_range(last - first);
  for (u64 at = first; at < last; at += kPageSize) {
    const auto mapped =
        arch::map_kernel_page(base + (at - first), PhysAddr{at},
                              arch::kPteWrite | arch::kPteNoExec | arch::kPteNoCache | arch::kPteWriteThrough);
    if (!mapped.ok()) return nullptr;
  }
  return reinterpret_cast<void*>(base + (raw(address) - first));
}

PhysAddr virt_to_phys(const void* p) {
  return PhysAddr{reinterpret_cast<u64>(p) - arch::layout.direct_map};
}
void* phys_to_virt(PhysAddr a) {
  return reinterpret_cast<void*>(raw(a) + arch::layout.direct_map);
}

}  // namespace uni::mm
