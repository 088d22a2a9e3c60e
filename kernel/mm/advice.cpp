// SPDX-License-Identifier: Apache-2.0
// What programs ask of ranges of their memory without mapping or unmapping it: advice, locking, write-back.
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::mm {

Result<void> AddressSpace::change_flags(u64 start, u64 length, u32 set, u32 clear, Accepts accepts) {
  const u64 end = start + page_up(length);
  LockGuard guard(lock);
  u64 at = start;
  bool hole = false;
  while (at < end) {
    const usize i = index_at(at);
    if (i == mappings_.size() || mappings_[i]->start >= end) {
      hole = true;
      break;
    }
    Mapping* m = mappings_[i];
    if (m->start > at) {
      hole = true;
      at = m->start;
    }
    if (accepts != nullptr && !accepts(*m)) return Errno::Invalid;
    const u64 stop = min(m->end, end);
    const u32 wanted = (m->flags | set) & ~(m->secret() ? clear & ~u32{kMapLocked} : clear);
    if (m->flags != wanted) {
      TRY(split_at(at));
      TRY(split_at(stop));
      m = find(at);
      m->flags = wanted;
    }
    at = stop;
  }
  return hole ? Result<void>(Errno::NoMemory) : Result<void>();
}

Result<void> AddressSpace::bring_in(u64 start, u64 length) {
  for (u64 at = start; at < start + length; at += kPageSize) {
    LockGuard guard(lock);
    Mapping* m = find(at);
    if (m == nullptr || m->protection == 0 || m->secret()) return Errno::NoMemory;
    const FaultKind kind = (m->protection & kProtWrite) != 0  ? FaultKind::kWrite
                           : (m->protection & kProtRead) != 0 ? FaultKind::kRead
                                                              : FaultKind::kExecute;
    const FaultOutcome outcome = fault_locked(*m, at, kind);
    if (outcome == FaultOutcome::kNoMemory) return Errno::Again;
    if (outcome != FaultOutcome::kDone) return Errno::NoMemory;
  }
  return {};
}

bool AddressSpace::shows_secret(u64 start, u64 length) {
  LockGuard guard(lock);
  for (usize i = index_at(start); i < mappings_.size() && mappings_[i]->start < start + length; ++i) {
    if (mappings_[i]->secret()) return true;
  }
  return false;
}

u64 AddressSpace::unlocked_pages(u64 start, u64 length) {
  const u64 end = start + length;
  LockGuard guard(lock);
  u64 locked = 0;
  for (usize i = index_at(start); i < mappings_.size() && mappings_[i]->start < end; ++i) {
    const Mapping& m = *mappings_[i];
    if ((m.flags & kMapLocked) != 0) locked += min(m.end, end) - max(m.start, start);
  }
  return (length - locked) >> kPageShift;
}

Result<void> AddressSpace::lock_all(bool present, bool on_fault, bool future) {
  {
    LockGuard guard(lock);
    future_flags_ = future ? u32{kMapLocked} : 0;
    future_on_fault_ = future && on_fault;
    if (!present) return {};
    for (Mapping* m : mappings_)
      if ((m->flags & (kMapVdso | kMapVvar)) == 0) m->flags |= kMapLocked;
  }
  if (on_fault) return {};
  // As Linux: what cannot be brought in is no error.
  u64 at = 0;
  while (true) {
    u64 from = 0, stop = 0;
    {
      LockGuard guard(lock);
      usize i = index_at(at);
      while (i < mappings_.size() && mappings_[i]->protection == 0)
        ++i;
      if (i == mappings_.size()) return {};
      from = max(at, mappings_[i]->start);
      stop = mappings_[i]->end;
    }
    (void)bring_in(from, stop - from).ok();
    at = stop;
  }
}

void AddressSpace::unlock_all() {
  LockGuard guard(lock);
  future_flags_ = 0;
  future_on_fault_ = false;
  for (Mapping* m : mappings_) {
    if (!m->secret()) m->flags &= ~u32{kMapLocked};
  }
}

// The old pages go first, as on Linux: a System V segment that was removed, and is attached nowhere else, ends with
// them.
Result<void> AddressSpace::show_other_pages(u64 start, u64 length, u64 object_page) {
  MapRequest r;
  MappingObserver* observer = nullptr;
  bool ends = false;
  {
    LockGuard guard(lock);
    const Mapping* m = find(start);
    if (m == nullptr || !m->shared() || !m->object || start + length > m->end) return Errno::Invalid;
    r.address = start;
    r.length = length;
    r.protection = m->protection;
    r.max_protection = m->max_protection;
    r.flags = m->flags;
    r.fixed = true;
    r.object = m->object;
    r.object_page = object_page;
    r.file = m->file;
    r.populate = true;
    observer = m->object->observer();
    if (observer != nullptr) {
      const bool whole = start == m->start && start + length == m->end && m->object->mapping_count() == 1;
      ends = observer->hold() == MappingObserver::Fate::kEndsWithMappings && whole;
    }
  }
  Result<void> done = ends ? unmap(start, length) : Result<void>();
  if (done.ok() && ends) done = Errno::Invalid;
  if (done.ok()) {
    if (const Result<u64> at = map(move(r)); !at.ok()) done = at.error();
  }
  if (observer != nullptr) observer->let_go();
  return done;
}

Result<u64> AddressSpace::growing_start(u64 address) {
  LockGuard guard(lock);
  const usize i = index_at(address);
  if (i == mappings_.size()) return Errno::NoMemory;
  if ((mappings_[i]->flags & kMapGrowsDown) == 0) return Errno::Invalid;
  return u64{mappings_[i]->start};
}

Result<void> AddressSpace::sync(u64 start, u64 length, bool write, bool invalidate) {
  const u64 end = start + page_up(length);
  u64 at = start;
  bool hole = false;
  while (at < end) {
    RefPtr<fs::File> file;
    {
      LockGuard guard(lock);
      const usize i = index_at(at);
      if (i == mappings_.size() || mappings_[i]->start >= end) {
        hole = true;
        break;
      }
      Mapping* m = mappings_[i];
      if (m->start > at) hole = true;
      if (invalidate && (m->flags & kMapLocked) != 0) return Errno::Busy;
      if (m->shared() && write) file = m->file;
      at = m->end;
    }
    if (file) TRY(file->sync(true));
  }
  return hole ? Result<void>(Errno::NoMemory) : Result<void>();
}

}  // namespace uni::mm
