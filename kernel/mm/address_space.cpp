// SPDX-License-Identifier: Apache-2.0
// The list of mappings: map, unmap, protect, gaps, limits. Page tables are changed in page_ops.cpp, faults in
// fault.cpp. The mappings are a sorted vector: programs have tens to thousands of them, and a binary search touches few
// cache lines.
#include "kernel/mm/address_space.hpp"

#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/sched/process.hpp"

namespace uni::mm {

std::atomic<u64> g_overcommit{0};
std::atomic<u64> g_most_mappings{65530};

namespace {
constexpr u64 kLowest = 0x10000;  // vm.mmap_min_addr
constexpr unsigned kCapIpcLock = 14;

bool mergeable(const Mapping& a, const Mapping& b) {
  return a.end == b.start && a.protection == b.protection && a.flags == b.flags && !a.object && !b.object &&
         (a.flags & (kMapVdso | kMapVvar)) == 0;
}
}  // namespace

Result<RefPtr<AddressSpace>> AddressSpace::create() {
  auto* space = new (std::nothrow) AddressSpace();
  if (space == nullptr) return Errno::NoMemory;
  auto result = RefPtr<AddressSpace>::adopt(space);
  space->root_ = TRY(arch::create_root());
  return result;
}

AddressSpace::~AddressSpace() {
  if (RefCounted* contexts = aio.load(std::memory_order_relaxed)) contexts->unref();
  if (raw(root_) == 0) return;
  zap(0, kUserEnd, false);
  for (Mapping* m : mappings_) {
    if (m->object) m->object->remove_mapping(*m);
    delete m;
  }
  arch::drop_root_elsewhere(raw(root_), cpus_.load(std::memory_order_acquire));
  arch::destroy_root(root_);
}

usize AddressSpace::index_at(u64 address) const {
  // Faults and small changes come in runs: try the last place first.
  const usize last = last_index_;
  if (last < mappings_.size() && mappings_[last]->end > address && (last == 0 || mappings_[last - 1]->end <= address))
    return last;
  usize low = 0, high = mappings_.size();
  while (low < high) {
    const usize middle = (low + high) / 2;
    if (mappings_[middle]->end > address)
      high = middle;
    else
      low = middle + 1;
  }
  last_index_ = low;
  return low;
}

Mapping* AddressSpace::find(u64 address) const {
  const usize i = index_at(address);
  return i < mappings_.size() && mappings_[i]->start <= address ? mappings_[i] : nullptr;
}

Result<u64> AddressSpace::find_gap(u64 length, u64 hint, u64 top) const {
  if (hint >= kLowest && user_range_ok(UserAddr{hint}, length)) {
    const usize i = index_at(hint);
    if (i == mappings_.size() || mappings_[i]->start >= hint + length) return hint;
  }
  // Top-down first fit, as Linux lays mappings out.
  u64 ceiling = top;
  usize i = index_at(top);
  if (i < mappings_.size() && mappings_[i]->start < top) ceiling = mappings_[i]->start;
  while (true) {
    const u64 floor = i == 0 ? kLowest : mappings_[i - 1]->end;
    if (ceiling >= floor && ceiling - floor >= length) return ceiling - length;
    if (i == 0) return Errno::NoMemory;
    --i;
    ceiling = min(ceiling, mappings_[i]->start);
  }
}

Result<void> AddressSpace::insert(OwnPtr<Mapping> mapping) {
  if (mappings_.size() > g_most_mappings.load(std::memory_order_relaxed)) return Errno::NoMemory;
  const usize i = index_at(mapping->start);
  const u64 pages = (mapping->end - mapping->start) >> kPageShift;
  // Neighbours of the same kind become one.
  if (i > 0 && mergeable(*mappings_[i - 1], *mapping)) {
    mappings_[i - 1]->end = mapping->end;
    if (i < mappings_.size() && mergeable(*mappings_[i - 1], *mappings_[i])) {
      mappings_[i - 1]->end = mappings_[i]->end;
      delete mappings_[i];
      mappings_.remove_at(i);
    }
  } else if (i < mappings_.size() && mergeable(*mapping, *mappings_[i])) {
    mappings_[i]->start = mapping->start;
  } else {
    TRY(mappings_.push(nullptr));
    for (usize j = mappings_.size() - 1; j > i; --j)
      mappings_[j] = mappings_[j - 1];
    Mapping* m = mapping.release();
    m->space = this;
    mappings_[i] = m;
    if (m->object) m->object->add_mapping(*m);
  }
  mapped_pages_ += pages;
  peak_mapped_ = max(peak_mapped_, mapped_pages_);
  return {};
}

bool AddressSpace::is_full() const {
  return mappings_.size() >= g_most_mappings.load(std::memory_order_relaxed);
}

Result<void> AddressSpace::split_at(u64 address, MapLimit limit) {
  Mapping* m = find(address);
  if (m == nullptr || m->start == address) return {};
  if (limit == MapLimit::kKept && is_full()) return Errno::NoMemory;
  auto upper = TRY(make_own<Mapping>());
  upper->start = address;
  upper->end = m->end;
  upper->protection = m->protection;
  upper->flags = m->flags;
  upper->max_protection = m->max_protection;
  upper->object = m->object;
  upper->object_page = m->object_index(address);
  upper->file = m->file;
  upper->space = this;
  TRY(mappings_.push(nullptr));
  const usize i = index_at(m->start);
  for (usize j = mappings_.size() - 1; j > i + 1; --j)
    mappings_[j] = mappings_[j - 1];
  if (m->object) m->object->add_mapping(*upper);
  m->end = address;
  mappings_[i + 1] = upper.release();
  return {};
}

bool AddressSpace::lock_limit_allows(u64 extra) const {
  const Process& process = Process::current();
  const u64 limit = process.limits[kLimitLocked].soft;
  if (limit == kUnlimited || process.credentials.capable(kCapIpcLock)) return true;
  for (const Mapping* m : mappings_)
    if ((m->flags & kMapLocked) != 0) extra += m->end - m->start;
  return extra <= limit;
}

bool AddressSpace::limits_allow(u64 extra, u32 protection, u32 flags) const {
  const Process* process = Thread::current().is_kernel() ? nullptr : &Process::current();
  if (process != nullptr) {
    const u64 limit = process->limits[kLimitAddressSpace].soft;
    if (limit != kUnlimited && (mapped_pages_ << kPageShift) + extra > limit) return false;
    const u64 data = process->limits[kLimitData].soft;
    if (data != kUnlimited && (protection & kProtWrite) != 0 && (flags & kMapShared) == 0) {
      u64 used = extra;
      for (const Mapping* m : mappings_)
        if ((m->protection & kProtWrite) != 0 && (m->flags & (kMapShared | kMapStack)) == 0) used += m->end - m->start;
      if (used > data) return false;
    }
  }
  // Overcommit as Linux's heuristic mode: only a single request that could never be met is refused.
  if ((protection & kProtWrite) != 0 && (flags & (kMapNoReserve | kMapShared)) == 0 &&
      g_overcommit.load(std::memory_order_relaxed) == 0 && extra >> kPageShift > memory_stats().total_pages)
    return false;
  return true;
}

Result<u64> AddressSpace::map(MapRequest r) {
  const u64 length = page_up(r.length);
  if (length == 0 || length > kUserEnd) return Errno::NoMemory;
  LockGuard guard(lock);
  if (!limits_allow(length, r.protection, r.flags)) return Errno::NoMemory;
  u64 at = r.address;
  if (r.fixed) {
    if (!user_range_ok(UserAddr{at}, length)) return Errno::NoMemory;
    if (at < kLowest) return Errno::NotPermitted;
    if (r.no_replace) {
      const usize i = index_at(at);
      if (i < mappings_.size() && mappings_[i]->start < at + length) return Errno::Exists;
    } else {
      TRY(unmap_locked(at, at + length));
    }
  } else {
    const u64 top = r.below_4g ? min<u64>(mmap_top, 0x80000000) : mmap_top;
    at = TRY(find_gap(length, page_down(at), top));
    // Large anonymous areas begin at a large page where that costs nothing.
    if (!r.object && length >= arch::kHugeSize && page_down(r.address) == 0) {
      const auto aligned = find_gap(length + arch::kHugeSize, 0, top);
      if (aligned.ok()) at = align_down(aligned.value() + arch::kHugeSize, arch::kHugeSize);
    }
  }
  auto m = TRY(make_own<Mapping>());
  m->start = at;
  m->end = at + length;
  m->protection = r.protection;
  r.flags |= future_flags_;
  if (future_on_fault_) r.populate = false;
  m->flags = r.flags;
  m->max_protection = r.max_protection;
  m->object = move(r.object);
  m->object_page = r.object_page;
  m->file = move(r.file);
  if (m->secret()) r.populate = false;
  const bool bring_in = r.populate || ((r.flags & kMapLocked) != 0 && !future_on_fault_ && !m->secret());
  TRY(insert(move(m)));
  if (bring_in) {
    for (u64 a = at; a < at + length; a += kPageSize) {
      Mapping* here = find(a);
      if (here == nullptr || here->protection == 0) break;
      if (fault_locked(*here, a, (here->protection & kProtWrite) != 0 ? FaultKind::kWrite : FaultKind::kRead) !=
          FaultOutcome::kDone)
        break;
    }
  }
  return at;
}

Result<void> AddressSpace::unmap_locked(u64 start, u64 end) {
  usize i = index_at(start);
  if (i == mappings_.size() || mappings_[i]->start >= end) return {};
  // Only a hole in the middle of one makes them more.
  if (mappings_[i]->start < start && mappings_[i]->end > end && is_full()) return Errno::NoMemory;
  TRY(split_at(start, MapLimit::kBeyond));
  TRY(split_at(end, MapLimit::kBeyond));
  TRY(split_borders(start, end));
  i = index_at(start);
  usize last = i;
  while (last < mappings_.size() && mappings_[last]->start < end)
    ++last;
  zap(start, end, false);
  for (usize j = i; j < last; ++j) {
    Mapping* m = mappings_[j];
    mapped_pages_ -= (m->end - m->start) >> kPageShift;
    if (m->object) m->object->remove_mapping(*m);
    delete m;
  }
  const usize gone = last - i;
  for (usize j = last; j < mappings_.size(); ++j)
    mappings_[j - gone] = mappings_[j];
  for (usize j = 0; j < gone; ++j)
    mappings_.pop();
  return {};
}

Result<void> AddressSpace::unmap(u64 start, u64 length) {
  LockGuard guard(lock);
  return unmap_locked(start, start + page_up(length));
}

Result<void> AddressSpace::unmap_observed(u64 start) {
  LockGuard guard(lock);
  const auto shows = [&](const Mapping& m) { return m.object && m.start - start == m.object_page << kPageShift; };
  usize i = index_at(start);
  while (i < mappings_.size() && !(shows(*mappings_[i]) && mappings_[i]->object->observer() != nullptr))
    ++i;
  if (i == mappings_.size()) return Errno::Invalid;
  const RefPtr<VmObject> object = mappings_[i]->object;
  const u64 end = start + (object->observer()->observed_pages() << kPageShift);
  while (i < mappings_.size() && mappings_[i]->start < end) {
    const Mapping& m = *mappings_[i];
    if (shows(m) && m.object.get() == object.get())
      TRY(unmap_locked(m.start, m.end));
    else
      ++i;
  }
  return {};
}

Result<void> AddressSpace::protect(u64 start, u64 length, u32 protection) {
  const u64 end = start + page_up(length);
  LockGuard guard(lock);
  // All or nothing where there is a hole at the start; Linux changes what comes before a later hole.
  u64 at = start;
  while (at < end) {
    Mapping* m = find(at);
    if (m == nullptr) return Errno::NoMemory;
    if ((protection & ~m->max_protection) != 0) return Errno::Access;
    const u64 stop = min(m->end, end);
    if (m->protection != protection) {
      TRY(split_borders(at, stop));
      TRY(own_range(at, stop));
      TRY(split_at(at));
      TRY(split_at(stop));
      m = find(at);
      m->protection = protection;
      apply_protection(*m, at, stop);
      // Join with equal neighbours, so that growing heaps do not pile up mappings.
      usize i = index_at(at);
      if (i > 0 && mergeable(*mappings_[i - 1], *mappings_[i])) {
        mappings_[i - 1]->end = mappings_[i]->end;
        delete mappings_[i];
        mappings_.remove_at(i--);
      }
      if (i + 1 < mappings_.size() && mergeable(*mappings_[i], *mappings_[i + 1])) {
        mappings_[i]->end = mappings_[i + 1]->end;
        delete mappings_[i + 1];
        mappings_.remove_at(i + 1);
      }
    }
    at = stop;
  }
  return {};
}

Result<void> AddressSpace::discard(u64 start, u64 length, u32 refused) {
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
    if (m->start > at) hole = true;
    const u64 from = max(at, m->start), stop = min(m->end, end);
    if ((m->flags & refused) != 0) return Errno::Invalid;
    TRY(split_borders(from, stop));
    zap(from, stop, true);
    at = stop;
  }
  if (hole) return Errno::NoMemory;
  return {};
}

Result<void> AddressSpace::give_up() {
  LockGuard guard(lock);
  given_up_ = true;
  for (const Mapping* m : mappings_) {
    if (m->shared() || (m->flags & (kMapVdso | kMapVvar)) != 0) continue;
    TRY(split_borders(m->start, m->end));
    zap(m->start, m->end, true);
  }
  return {};
}

Result<void> AddressSpace::populate(u64 start, u64 length, bool write) {
  const u64 end = start + page_up(length);
  for (u64 at = start; at < end; at += kPageSize) {
    LockGuard guard(lock);
    Mapping* m = find(at);
    if (m == nullptr) return Errno::NoMemory;
    if (m->secret()) return Errno::Fault;
    const u32 need = write ? kProtWrite : kProtRead;
    if ((m->protection & need) == 0) return Errno::Invalid;
    switch (fault_locked(*m, at, write ? FaultKind::kWrite : FaultKind::kRead)) {
      case FaultOutcome::kDone:
        break;
      case FaultOutcome::kNoMemory:
        return Errno::NoMemory;
      default:
        return Errno::Fault;
    }
  }
  return {};
}

Result<u64> AddressSpace::set_break(u64 wanted) {
  LockGuard guard(lock);
  if (wanted < break_start) return break_end;
  const u64 old_top = page_up(break_end), new_top = page_up(wanted);
  if (new_top < old_top) {
    if (!unmap_locked(new_top, old_top).ok()) return break_end;
  } else if (new_top > old_top) {
    const usize i = index_at(old_top);
    if (!user_range_ok(UserAddr{old_top}, new_top - old_top) || new_top > mmap_top) return break_end;
    if (i < mappings_.size() && mappings_[i]->start < new_top) return break_end;
    if (!limits_allow(new_top - old_top, kProtWrite, 0)) return break_end;
    auto made = make_own<Mapping>();
    if (!made.ok()) return break_end;
    auto m = made.take();
    m->start = old_top;
    m->end = new_top;
    m->protection = kProtRead | kProtWrite;
    m->flags = kMapHeap | future_flags_;
    if (!insert(move(m)).ok()) return break_end;
  }
  break_end = wanted;
  return wanted;
}

Result<u64> AddressSpace::remap(u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address) {
  constexpr u32 kMayMove = 1, kFixed = 2, kDontUnmap = 4;
  old_length = page_up(old_length);
  new_length = page_up(new_length);
  LockGuard guard(lock);
  Mapping* m = find(old_address);
  if (m == nullptr) return Errno::Fault;
  const bool must_move = (flags & (kFixed | kDontUnmap)) != 0;
  if (!must_move && new_length < old_length) {
    TRY(unmap_locked(old_address + new_length, old_address + old_length));
    return old_address;
  }
  if (old_length == 0) {
    if (!m->shared()) return Errno::Invalid;
  } else if (old_address + old_length > m->end) {
    return Errno::Fault;
  }
  if (!must_move && new_length == old_length) return old_address;
  if (new_length > old_length && !limits_allow(new_length - old_length, m->protection, m->flags))
    return Errno::NoMemory;
  if (new_length > old_length && (m->flags & kMapLocked) != 0 && !lock_limit_allows(new_length - old_length))
    return Errno::Again;
  // Grow in place when the mapping ends there and the next bytes are free.
  if (!must_move && old_length != 0 && old_address + old_length == m->end) {
    const usize i = index_at(m->start);
    const u64 limit = i + 1 < mappings_.size() ? mappings_[i + 1]->start : kUserEnd;
    if (old_address + new_length <= limit) {
      mapped_pages_ += (new_length - old_length) >> kPageShift;
      peak_mapped_ = max(peak_mapped_, mapped_pages_);
      m->end = old_address + new_length;
      return old_address;
    }
  }
  if ((flags & kMayMove) == 0) return Errno::NoMemory;
  u64 target;
  if ((flags & kFixed) != 0) {
    if (!user_range_ok(UserAddr{new_address}, new_length)) return Errno::Invalid;
    if (new_address < old_address + old_length && old_address < new_address + new_length) return Errno::Invalid;
    TRY(unmap_locked(new_address, new_address + new_length));
    if (old_length > new_length) {
      TRY(unmap_locked(old_address + new_length, old_address + old_length));
      old_length = new_length;
    }
    target = new_address;
  } else {
    target = TRY(find_gap(new_length, 0, mmap_top));
  }
  TRY(split_at(old_address));
  if (old_length != 0) TRY(split_at(old_address + old_length));
  if (old_length != 0) TRY(prepare_move(old_address, target, min(old_length, new_length)));
  m = find(old_address);
  auto copy = TRY(make_own<Mapping>());
  copy->start = target;
  copy->end = target + new_length;
  copy->protection = m->protection;
  copy->flags = m->flags & ~u32{kMapHeap | kMapStack | kMapGrowsDown};
  copy->max_protection = m->max_protection;
  copy->object = m->object;
  copy->object_page = m->object_page;
  copy->file = m->file;
  TRY(insert(move(copy)));
  if (old_length != 0) {
    move_entries(old_address, target, min(old_length, new_length));
    if ((flags & kDontUnmap) == 0) TRY(unmap_locked(old_address, old_address + old_length));
  }
  return target;
}

AddressSpace::Usage AddressSpace::usage() {
  LockGuard guard(lock);
  Usage u{};
  u.mapped_pages = mapped_pages_;
  u.peak_mapped = peak_mapped_;
  u.resident_pages = resident_.load(std::memory_order_relaxed);
  peak_resident_ = max(peak_resident_, u.resident_pages);
  u.peak_resident = peak_resident_;
  for (const Mapping* m : mappings_) {
    const u64 pages = (m->end - m->start) >> kPageShift;
    if ((m->flags & kMapLocked) != 0) u.locked_pages += pages;
    if ((m->flags & kMapStack) != 0)
      u.stack_pages += pages;
    else if ((m->protection & kProtExec) != 0)
      u.text_pages += pages;
    else if ((m->protection & kProtWrite) != 0 && !m->shared())
      u.data_pages += pages;
  }
  return u;
}

Result<AddressSpace::FutexKey> AddressSpace::futex_key(u64 address, bool shared) {
  if (!shared) return FutexKey{reinterpret_cast<u64>(this), address};
  LockGuard guard(lock);
  Mapping* m = find(address);
  if (m == nullptr) return Errno::Fault;
  if (!m->shared() || !m->object) return FutexKey{reinterpret_cast<u64>(this), address};
  if (m->secret()) return Errno::Fault;
  return FutexKey{reinterpret_cast<u64>(m->object.get()),
                  (m->object_index(address) << kPageShift) | (address & (kPageSize - 1))};
}

void report_out_of_memory() {
  log::error("out of memory: the program is ended; give the machine more with `uni run -m`");
}

}  // namespace uni::mm
