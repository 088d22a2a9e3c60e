// SPDX-License-Identifier: Apache-2.0
// Reading and writing another address space, page by page through the direct map: /proc/PID/mem and cmdline,
// process_vm_readv(2), ptrace(2). Each page is faulted in as the owner would, so copy-on-write holds.
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::mm {

Result<void> AddressSpace::access_page(u64 address, void* buffer, usize size, Remote how) {
  const bool write = how == Remote::kWrite || how == Remote::kForceWrite;
  LockGuard guard(lock);
  Mapping* m = find(address);
  if (m == nullptr || m->secret()) return Errno::Fault;
  const u32 before = m->protection;
  const bool force = how == Remote::kForceWrite ? (before & kProtWrite) == 0 : how == Remote::kForceRead && before == 0;
  if (force) {
    if (write && m->shared()) return Errno::Fault;
    m->protection |= write ? kProtRead | kProtWrite : u32{kProtRead};
  }
  FaultOutcome outcome = fault_locked(*m, address, write ? FaultKind::kWrite : FaultKind::kRead);
  if (outcome == FaultOutcome::kDone) {
    table_lock_.lock();
    bool huge = false;
    const arch::Pte* e = arch::find_entry(raw(root_), address, false, &huge);
    if (e == nullptr || (*e & arch::kPtePresent) == 0 || (write && (*e & arch::kPteWrite) == 0)) {
      outcome = FaultOutcome::kNoMapping;
    } else {
      const u64 span = huge ? arch::kHugeSize : kPageSize;
      const u64 physical = (*e & arch::kPteAddress & ~(span - 1)) + (address & (span - 1));
      auto* place = static_cast<u8*>(phys_to_virt(PhysAddr{physical}));
      if (write)
        __builtin_memcpy(place, buffer, size);
      else
        __builtin_memcpy(buffer, place, size);
    }
    table_lock_.unlock();
  }
  if (force) {
    m->protection = before;
    apply_protection(*m, page_down(address), page_down(address) + kPageSize);
  }
  if (outcome == FaultOutcome::kNoMemory) return Errno::NoMemory;
  if (outcome != FaultOutcome::kDone) return Errno::Fault;
  return {};
}

u64 AddressSpace::next_present(u64 from, u64 end, Present which) {
  constexpr u64 kStretch = 64 * kMiB;  // looked at under one hold of the lock
  for (u64 at = page_down(from); at < end;) {
    LockGuard guard(table_lock_);
    for (const u64 stop = min(end, at + kStretch); at < stop;) {
      bool huge = false;
      const arch::Pte* e = arch::find_entry(raw(root_), at, false, &huge);
      if (e != nullptr && (*e & arch::kPtePresent) != 0) {
        if (which == Present::kAny || huge) return at;
        const Page* page = page_of(PhysAddr{*e & arch::kPteAddress});
        if ((page->flags.load(std::memory_order_relaxed) & kPageAnon) != 0) return at;
      }
      at = e == nullptr || huge ? align_down(at, arch::kHugeSize) + arch::kHugeSize : at + kPageSize;
    }
  }
  return end;
}

usize AddressSpace::access(u64 address, void* buffer, usize size, Remote how) {
  usize done = 0;
  while (done < size && user_range_ok(UserAddr{address + done}, 1)) {
    const u64 at = address + done;
    const usize part = min<usize>(size - done, kPageSize - (at & (kPageSize - 1)));
    if (!access_page(at, static_cast<u8*>(buffer) + done, part, how).ok()) break;
    done += part;
  }
  return done;
}

}  // namespace uni::mm
