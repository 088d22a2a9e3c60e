// SPDX-License-Identifier: Apache-2.0
// The copy of an address space for fork(2). Private memory is shared until one side writes, in the largest units there
// are:
// - a page table whose 2 MiB lie in one anonymous mapping is shared as a whole. The entries above it lose the write bit
//   and get kPteTableShared, so the first write, or change of an entry, on either side faults and takes a copy of the
//   table (own_table); who is left alone with it only gets the write bit back. A table is not changed while shared.
// - a large page loses its write bit; a write to it makes 512 single frames of it (fault.cpp).
// - everything else is shared entry by entry.
// So the cost of fork follows from the number of tables, not of pages.
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/page_init.hpp"
#include "kernel/mm/page_walk.hpp"

namespace uni::mm {

using namespace arch;

void put_table(Page& table) {
  if (table.refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const auto* entries = static_cast<const u64*>(address_of(table));
  for (usize i = 0; i < 512; ++i)
    if ((entries[i] & kPtePresent) != 0) put_page(*page_of(PhysAddr{entries[i] & kPteAddress}));
  table.refs.store(1, std::memory_order_relaxed);
  put_page(table);
}

bool AddressSpace::own_table(u64 address) {
  Pte* above = find_huge_entry(raw(root_), address, false);
  if (above == nullptr || (*above & kPteTableShared) == 0) return true;
  Page& table = *page_of(PhysAddr{*above & kPteAddress});
  auto* from = table_of(*above);
  if (table.refs.load(std::memory_order_acquire) == 1) {
    // Whoever took a copy of it uses the same frames.
    if ((table.flags.fetch_and(static_cast<u8>(~kPageTableCopied), std::memory_order_relaxed) & kPageTableCopied) !=
        0) {
      for (usize i = 0; i < 512; ++i)
        from[i] &= ~u64{kPteWrite};
    }
    *above = (*above & ~kPteTableShared) | kPteWrite;
    return true;
  }
  Page* copy = alloc_page(Zero::kNo);
  if (copy == nullptr) return false;
  auto* to = static_cast<u64*>(address_of(*copy));
  for (usize i = 0; i < 512; ++i) {
    to[i] = from[i] & ~u64{kPteWrite | kPteDirty};
    if ((from[i] & kPtePresent) != 0) get_page(*page_of(PhysAddr{from[i] & kPteAddress}));
  }
  table.flags.fetch_or(kPageTableCopied, std::memory_order_relaxed);
  *above = raw(phys_of(*copy)) | kPtePresent | kPteWrite | kPteUser;
  // The frames stay where they are and are read-only on both ways; only the cached way to the table must go, and any
  // invalidation takes all of those along (SDM volume 3, 4.10.4.1).
  flush(page_down(address), page_down(address) + kPageSize);
  put_table(table);
  return true;
}

Result<void> AddressSpace::own_range(u64 start, u64 end) {
  LockGuard tables(table_lock_);
  bool owned = true;
  auto visit = [&](u64& e, u64 address, int) {
    if ((e & kPteTableShared) != 0) owned = owned && own_table(address);
  };
  auto nothing = [](u64&) {};
  walk(table_of(raw(root_)), 4, 0, start, end, visit, is_shared_table, nothing);
  return owned ? Result<void>() : Result<void>(Errno::NoMemory);
}

// Makes the entry of a table that can be shared as a whole say so; false for others.
static bool mark_shared(u64& above, u64 address, const Mapping& m) {
  if ((above & kPteTableShared) != 0) return true;  // since an earlier fork, and within one mapping: split_borders()
  if (m.object || address < m.start || address + kHugeSize > m.end) return false;
  u64 present = 0;
  const u64* entries = table_of(above);
  for (usize i = 0; i < 512; ++i)
    present += entries[i] & kPtePresent;
  page_of(PhysAddr{above & kPteAddress})->index = present;
  above = (above & ~u64{kPteWrite}) | kPteTableShared;
  return true;
}

// The entry, read-only on both sides. False: no memory for a table.
static bool share(u64& entry, u64 address, int level, PhysAddr child_root, u64* copied) {
  if ((entry & kPtePresent) == 0) return true;
  bool huge = false;
  Pte* target =
      level == 2 ? find_huge_entry(raw(child_root), address, true) : find_entry(raw(child_root), address, true, &huge);
  if (target == nullptr) return false;
  Page& page = *page_of(PhysAddr{entry & kPteAddress});
  entry &= ~u64{kPteWrite};
  if (level == 2 && (entry & kPteTableShared) == 0)
    get_large(page);
  else
    get_page(page);
  *target = entry & ~u64{kPteDirty};
  *copied += level == 1 ? 1 : (entry & kPteTableShared) != 0 ? page.index : 512;
  return true;
}

bool AddressSpace::share_pages(const Mapping& m, AddressSpace& child) {
  bool good = split_borders(m.start, m.end).ok();
  u64 copied = 0;
  auto visit = [&](u64& e, u64 address, int level) { good = good && share(e, address, level, child.root_, &copied); };
  auto as_block = [&](u64& e, u64 address) { return mark_shared(e, address, m); };
  auto nothing = [](u64&) {};
  table_lock_.lock();
  walk(table_of(raw(root_)), 4, 0, m.start, m.end, visit, as_block, nothing);
  table_lock_.unlock();
  child.resident_.fetch_add(copied, std::memory_order_relaxed);
  return good;
}

Result<void> AddressSpace::copy_mapping(const Mapping& m, AddressSpace& child) {
  auto copy = TRY(make_own<Mapping>());
  copy->start = m.start;
  copy->end = m.end;
  copy->protection = m.protection;
  copy->flags = m.flags & ~u32{kMapLocked};
  copy->max_protection = m.max_protection;
  copy->object = m.object;
  copy->object_page = m.object_page;
  copy->file = m.file;
  TRY(child.mappings_.push(nullptr));
  Mapping* placed = copy.release();
  placed->space = &child;
  child.mappings_[child.mappings_.size() - 1] = placed;
  if (placed->object) placed->object->add_mapping(*placed);
  child.mapped_pages_ += (m.end - m.start) >> kPageShift;
  return {};
}

Result<RefPtr<AddressSpace>> AddressSpace::fork() {
  auto child = TRY(create());
  LockGuard guard(lock);
  child->mmap_top = mmap_top;
  child->break_start = break_start;
  child->break_end = break_end;
  child->stack_limit_low = stack_limit_low;
  child->vdso_address = vdso_address;
  bool good = true;
  for (const Mapping* m : mappings_) {
    if ((m->flags & kMapDontFork) != 0) continue;
    good = copy_mapping(*m, *child).ok();
    // Shared pages come back by faults.
    if (good && (m->flags & kMapWipeOnFork) == 0 && !(m->shared() && m->object)) good = share_pages(*m, *child);
    if (!good) break;
  }
  flush(0, kUserEnd);
  if (!good) return Errno::NoMemory;
  return child;
}

}  // namespace uni::mm
