// SPDX-License-Identifier: Apache-2.0
// Page faults. Order: the mapping is found and the access checked, the page is had (which may read a file) without
// table_lock_, then the entry is written under table_lock_ unless another thread was faster.
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/page_init.hpp"
#include "kernel/mm/page_walk.hpp"
#include "kernel/sched/process.hpp"

namespace uni::mm {

using namespace arch;

namespace {

constexpr u64 kAccessedDirty = kPteAccessed | kPteDirty;

u64 entry_for(const Mapping& m, const Page& p, bool writable) {
  u64 e = raw(phys_of(p)) | kPtePresent | kPteUser | kPteAccessed;
  if (writable) e |= kPteWrite | kPteDirty;
  if ((m.protection & kProtExec) == 0) e |= kPteNoExec;
  return e;
}

}  // namespace

bool AddressSpace::grow_stack(u64 address) {
  const usize i = index_at(address);
  if (i == mappings_.size()) return false;
  Mapping* m = mappings_[i];
  if ((m->flags & kMapGrowsDown) == 0) return false;
  const u64 start = page_down(address);
  const u64 limit = Process::current().limits[kLimitStack].soft;
  if (limit != kUnlimited && m->end - start > limit) return false;
  if (m->end - start > kGiB) return false;
  // A gap to the mapping below stays open (Linux: 256 pages).
  const u64 floor = i == 0 ? 0 : mappings_[i - 1]->end;
  if (start < floor + 256 * kPageSize) return false;
  mapped_pages_ += (m->start - start) >> kPageShift;
  m->start = start;
  return true;
}

FaultOutcome AddressSpace::handle_fault(u64 address, FaultKind kind) {
  LockGuard guard(lock);
  Mapping* m = find(address);
  if (m == nullptr) {
    if (!grow_stack(address)) return FaultOutcome::kNoMapping;
    m = find(address);
  }
  ++Thread::current().minor_faults;
  return fault_locked(*m, address, kind);
}

FaultOutcome AddressSpace::fault_locked(Mapping& m, u64 address, FaultKind kind) {
  const u32 need = kind == FaultKind::kWrite ? u32{kProtWrite} : kind == FaultKind::kExecute ? u32{kProtExec} : 0;
  // On x86 what is writable or executable is readable.
  if (kind == FaultKind::kRead ? m.protection == 0 : (m.protection & need) == 0) return FaultOutcome::kProtection;
  if (given_up_ && !m.shared()) return FaultOutcome::kBeyondEnd;
  address = page_down(address);
  const bool write = kind == FaultKind::kWrite;
  return m.object ? fault_object(m, address, write) : fault_anonymous(m, address, write);
}

bool AddressSpace::try_huge(Mapping& m, u64 address) {
  if ((m.flags & (kMapNoHuge | kMapGrowsDown | kMapStack)) != 0) return false;
  const u64 base = align_down(address, kHugeSize);
  if (base < m.start || base + kHugeSize > m.end) return false;
  const MemoryStats stats = memory_stats();
  // Large pages are for plenty: below a quarter free, small ones.
  if (stats.free_pages < stats.total_pages / 4 + 512) return false;
  {
    LockGuard tables(table_lock_);
    Pte* e = find_huge_entry(raw(root_), base, true);
    if (e == nullptr || *e != 0) return false;
  }
  Page* head = alloc_pages(9, Zero::kNo);
  if (head == nullptr) return false;
  auto* bytes = static_cast<char*>(address_of(*head));
  for (usize i = 0; i < 512; ++i)
    arch::zero_page(bytes + i * kPageSize);
  head->flags.store(kPageAnon, std::memory_order_relaxed);
  LockGuard tables(table_lock_);
  Pte* e = find_huge_entry(raw(root_), base, true);
  *e = entry_for(m, *head, (m.protection & kProtWrite) != 0) | kPteHuge;
  resident_.fetch_add(512, std::memory_order_relaxed);
  return true;
}

// What stands above an anonymous page's entry is shared with another space, or a large page: makes it this space's own
// table, or for a write to a large page that another space has too, one of single frames. A large page that stays one
// is made accessible. With table_lock_. False: no memory.
bool AddressSpace::own_block(const Mapping& m, u64 address, bool write) {
  if (!own_table(address)) return false;
  Pte* e = find_huge_entry(raw(root_), address, false);
  if ((*e & kPteHuge) == 0) return true;
  const bool sole = only_user(*page_of(PhysAddr{*e & kPteAddress}));
  if (write && !sole) {
    if (!split_huge(e)) return false;
  } else {
    const u64 writable = sole && (m.protection & kProtWrite) != 0 ? u64{kPteWrite} : 0;
    *e = (*e & ~u64{kPteNoExec | kPteWrite}) | kPteUser | writable |
         ((m.protection & kProtExec) == 0 ? u64{kPteNoExec} : 0);
  }
  flush(address, address + kPageSize);
  return true;
}

FaultOutcome AddressSpace::fault_anonymous(Mapping& m, u64 address, bool write) {
  bool huge = false, owned = true;
  table_lock_.lock();
  const Pte* above = find_huge_entry(raw(root_), address, false);
  if (above != nullptr && (*above & (kPteTableShared | kPteHuge)) != 0) owned = own_block(m, address, write);
  const Pte block = above == nullptr ? 0 : *above;
  const bool large = (block & kPteHuge) != 0;
  const Pte old = block == 0 || large ? 0 : table_of(block)[(address >> kPageShift) & 511];
  table_lock_.unlock();
  if (!owned) return FaultOutcome::kNoMemory;
  if (large) return FaultOutcome::kDone;
  if ((old & kPtePresent) == 0 && write && m.end - m.start >= kHugeSize && try_huge(m, address))
    return FaultOutcome::kDone;

  Page* fresh = nullptr;
  if (write) {
    Page* shared = (old & kPtePresent) != 0 ? page_of(PhysAddr{old & kPteAddress}) : nullptr;
    const bool sole = shared != nullptr && shared != &mm::zero_page() &&
                      shared->refs.load(std::memory_order_acquire) == 1 &&
                      (shared->flags.load(std::memory_order_relaxed) & kPageAnon) != 0;
    if (!sole) {
      const bool copy = shared != nullptr && shared != &mm::zero_page();
      fresh = alloc_page(copy ? Zero::kNo : Zero::kYes);
      if (fresh == nullptr) return FaultOutcome::kNoMemory;
      if (copy) arch::copy_page(address_of(*fresh), address_of(*shared));
      fresh->flags.store(kPageAnon, std::memory_order_relaxed);
    }
  } else {
    fresh = &mm::zero_page();
    get_page(*fresh);
  }
  Page* drop = nullptr;
  bool stale = false;
  table_lock_.lock();
  Pte* e = find_entry(raw(root_), address, true, &huge);
  if (e == nullptr) {
    table_lock_.unlock();
    if (fresh != nullptr) put_page(*fresh);
    return FaultOutcome::kNoMemory;
  }
  if (*e != old) {
    drop = fresh;  // another thread served the same fault
  } else if (fresh == nullptr) {
    *e = (old & kPteAddress) | kPtePresent | kPteUser | kPteWrite | kAccessedDirty |
         ((m.protection & kProtExec) == 0 ? u64{kPteNoExec} : 0);
    stale = true;
  } else if (!write && (old & kPtePresent) != 0) {
    // Present but out of reach (PROT_NONE before): the frame is still there.
    *e = (old | kPteUser) & ~u64{kPteNoExec};
    if ((m.protection & kProtExec) == 0) *e |= kPteNoExec;
    drop = fresh;
    stale = true;
  } else {
    *e = entry_for(m, *fresh, write);
    if ((old & kPtePresent) != 0) {
      drop = page_of(PhysAddr{old & kPteAddress});
      stale = true;
    } else {
      resident_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  table_lock_.unlock();
  if (stale) flush(address, address + kPageSize);
  if (drop != nullptr) put_page(*drop);
  return FaultOutcome::kDone;
}

FaultOutcome AddressSpace::fault_object(Mapping& m, u64 address, bool write) {
  VmObject& object = *m.object;
  const u64 index = m.object_index(address);
  bool huge = false;
  table_lock_.lock();
  Pte* e = find_entry(raw(root_), address, false, &huge);
  const Pte old = e == nullptr ? 0 : *e;
  table_lock_.unlock();
  Page* present = (old & kPtePresent) != 0 ? page_of(PhysAddr{old & kPteAddress}) : nullptr;

  Page* page = nullptr;    // the object's page, with a reference
  Page* mapped = nullptr;  // what the entry will hold, with a reference
  bool writable = false;
  if (present != nullptr && !m.shared() && (present->flags.load(std::memory_order_relaxed) & kPageAnon) != 0) {
    // A private copy that was shared by fork, or taken out of reach.
    if (write && present->refs.load(std::memory_order_acquire) > 1) {
      mapped = alloc_page(Zero::kNo);
      if (mapped == nullptr) return FaultOutcome::kNoMemory;
      arch::copy_page(address_of(*mapped), address_of(*present));
      mapped->flags.store(kPageAnon, std::memory_order_relaxed);
    } else {
      mapped = present;
      get_page(*mapped);
    }
    writable = write;
  } else {
    auto got = object.fault(index, write && m.shared() ? Access::kWrite : Access::kRead);
    if (!got.ok()) {
      if (got.error() == Errno::NoMemory) return FaultOutcome::kNoMemory;
      return FaultOutcome::kBeyondEnd;
    }
    page = got.take();
    if (write && !m.shared()) {
      mapped = alloc_page(Zero::kNo);
      if (mapped == nullptr) {
        put_page(*page);
        return FaultOutcome::kNoMemory;
      }
      arch::copy_page(address_of(*mapped), address_of(*page));
      mapped->flags.store(kPageAnon, std::memory_order_relaxed);
      put_page(*page);
      page = nullptr;
      writable = true;
    } else {
      mapped = page;
      writable = write;
    }
  }

  bool stale = false;
  Page* drop = nullptr;
  FaultOutcome outcome = FaultOutcome::kDone;
  object.mappings_lock_.lock();
  table_lock_.lock();
  e = find_entry(raw(root_), address, true, &huge);
  if (e == nullptr) {
    outcome = FaultOutcome::kNoMemory;
    drop = mapped;
  } else if (*e != old || (page != nullptr && page == mapped && page->object != &object)) {
    drop = mapped;  // another thread was faster, or the page was truncated away: the access faults again
  } else {
    *e = entry_for(m, *mapped, writable);
    if (present != nullptr) {
      drop = present;
      stale = true;
    } else {
      resident_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  table_lock_.unlock();
  object.mappings_lock_.unlock();
  if (stale) flush(address, address + kPageSize);
  if (drop != nullptr) put_page(*drop);
  return outcome;
}

}  // namespace uni::mm
