// SPDX-License-Identifier: Apache-2.0
#include "kernel/ipc/shared_memory.hpp"

#include "kernel/base/format.hpp"
#include "kernel/ipc/limits.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::ipc {

namespace {
constinit SpinLock lock{Rank::kInode};  // taken under a VmObject's list of mappings
constinit TableOf<Segment> table;
constinit u64 total_pages = 0;

u32 current_pid() {
  return Thread::current().is_kernel() ? 0 : raw(Process::current().pid());
}

// Takes the segment out of the table; the reference is the caller's. Needs the lock.
RefPtr<Segment> take_out(Segment& segment) {
  table.remove(segment);
  total_pages -= segment.pages();
  return RefPtr<Segment>::adopt(&segment);
}

// The same for a removed segment that nobody is attached to any more; else null. Needs the lock.
RefPtr<Segment> take_out_if_over(Segment& segment) {
  const bool over = (segment.mode & Segment::kDoomed) != 0 && segment.attachments() == 0 && !segment.removed;
  return over ? take_out(segment) : RefPtr<Segment>();
}
}  // namespace

SpinLock& segment_lock() {
  return lock;
}
TableOf<Segment>& segment_table() {
  return table;
}
u64 segment_pages() {
  return total_pages;
}

void Segment::mapping_added() {
  LockGuard guard(lock);
  attached = now_seconds();
  last = current_pid();
}

void Segment::mapping_removed() {
  RefPtr<Segment> gone;
  LockGuard guard(lock);
  detached = now_seconds();
  last = current_pid();
  // The mapping that goes still holds the memory, so the memory does not end here.
  gone = take_out_if_over(*this);
}

usize Segment::describe(Span<char> out) const {
  BufferWriter writer(out.data(), out.size());
  format(writer, "/SYSV{:08x} (deleted)", static_cast<u32>(key));
  return writer.view().size();
}

mm::MappingObserver::Fate Segment::hold() {
  LockGuard guard(lock);
  ++attaching;
  return (mode & kDoomed) != 0 ? Fate::kEndsWithMappings : Fate::kStays;
}

void Segment::let_go() {
  RefPtr<Segment> gone;
  LockGuard guard(lock);
  --attaching;
  gone = take_out_if_over(*this);
}

Result<i32> get_segment(i32 key, u64 size, u32 flags) {
  constexpr u32 kHugePages = 04000;  // SHM_HUGETLB
  u64 added = 0;
  LockGuard guard(lock);
  Result<i32> id = get(
      table, key, flags, Process::current().credentials,
      [&](Segment& segment) -> Result<void> {
        if (size > segment.size) return Errno::Invalid;
        return {};
      },
      [&]() -> Result<RefPtr<Segment>> {
        if (size < 1 || size > limits.shm_max) return Errno::Invalid;
        if (page_up(size) < size) return Errno::NoSpace;
        const u64 pages = page_up(size) >> kPageShift;
        if (total_pages + pages < total_pages || total_pages + pages > limits.shm_all) return Errno::NoSpace;
        if ((flags & kHugePages) != 0) return Errno::NoMemory;  // there is no pool
        if (table.count() >= limits.shm_segments) return Errno::NoSpace;
        auto made = TRY(make_ref<Segment>());
        made->memory = TRY(mm::make_shared_memory(pages));
        made->memory->observe(*made);
        made->size = size;
        made->creator = current_pid();
        added = pages;
        return made;
      });
  if (id.ok()) total_pages += added;
  return id;
}

Result<u64> attach(i32 id, u64 address, u32 flags) {
  mm::MapRequest r;
  if (address != 0) {
    if ((address & (kPageSize - 1)) != 0) {
      if ((flags & kRound) == 0) return Errno::Invalid;
      address = page_down(address);
      if (address == 0 && (flags & kRemap) != 0) return Errno::Invalid;
    }
    r.fixed = address != 0;
    r.no_replace = (flags & kRemap) == 0;
  } else if ((flags & kRemap) != 0) {
    return Errno::Invalid;
  }
  u32 access = kMayRead;
  r.protection = mm::kProtRead;
  if ((flags & kReadOnly) == 0) {
    access |= kMayWrite;
    r.protection |= mm::kProtWrite;
  }
  if ((flags & kExecute) != 0) {
    access |= 0111;
    r.protection |= mm::kProtExec;
  }
  Process& process = Process::current();
  RefPtr<Segment> segment;
  {
    LockGuard guard(lock);
    segment = RefPtr<Segment>(TRY(named(table, id, Name::kId)));
    if (!permitted(*segment, process.credentials, access)) return Errno::Access;
    ++segment->attaching;
  }
  r.address = address;
  r.length = segment->size;
  r.flags = mm::kMapShared;
  if ((flags & kReadOnly) != 0) r.max_protection &= ~u32{mm::kProtWrite};
  r.object = segment->memory;
  const Result<u64> at = process.space->map(uni::move(r));

  segment->let_go();
  if (!at.ok()) return at.error() == Errno::Exists ? Errno::Invalid : at.error();
  return at.value();
}

Result<void> remove_segment(i32 id) {
  RefPtr<Segment> gone;
  LockGuard guard(lock);
  Segment* segment = TRY(named(table, id, Name::kId));
  if (!owned_by(*segment, Process::current().credentials)) return Errno::NotPermitted;
  if (segment->attachments() == 0) {
    gone = take_out(*segment);
  } else {
    segment->mode |= Segment::kDoomed;
    table.forget_key(*segment);
  }
  return {};
}

}  // namespace uni::ipc
