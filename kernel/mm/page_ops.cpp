// SPDX-License-Identifier: Apache-2.0
// Changes of the user half's page tables: taking pages out, moving them, protecting them, sharing them with a child.
// Invariant: a present entry holds one reference on its frame (a large entry one on each of its 512 frames' allocation
// head).
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/page_init.hpp"

namespace uni::mm {

using namespace arch;

namespace {

u64* table_of(u64 entry) {
  return static_cast<u64*>(phys_to_virt(PhysAddr{entry & kPteAddress}));
}
constexpr u64 span_of(int level) {
  return u64{1} << (12 + 9 * (level - 1));
}

// Frames and tables that must outlive the translation caches: given back after the flush.
class Doomed {
 public:
  void add(Page& p) {
    if (count_ == kCapacity)
      full_ = true;
    else
      pages_[count_++] = &p;
  }
  bool full() const { return count_ == kCapacity; }
  bool empty() const { return count_ == 0; }
  void release() {
    for (usize i = 0; i < count_; ++i)
      put_page(*pages_[i]);
    count_ = 0;
  }

 private:
  static constexpr usize kCapacity = 128;
  Page* pages_[kCapacity];
  usize count_ = 0;
  bool full_ = false;
};

u64 protection_bits(const Mapping& m, bool writable) {
  u64 bits = kPteUser;
  if (writable && (m.protection & kProtWrite) != 0) bits |= kPteWrite;
  if ((m.protection & kProtExec) == 0) bits |= kPteNoExec;
  return bits;
}

}  // namespace

// Calls visit(entry, address, level) for each present leaf in [start, end); absent upper levels are stepped over as a
// whole. `leave_table(entry of the level-1 table, address)` runs behind each fully covered level-1 table.
template <typename Visit, typename LeaveTable>
static void walk(u64* table, int level, u64 base, u64 start, u64 end, Visit& visit, LeaveTable& leave_table) {
  const u64 span = span_of(level);
  for (u64 at = max(base, align_down(start, span)); at < end && at < base + 512 * span; at += span) {
    u64& e = table[(at >> (12 + 9 * (level - 1))) & 511];
    if (e == 0) continue;
    if (level == 1 || (e & kPteHuge) != 0) {
      visit(e, at, level);
      continue;
    }
    walk(table_of(e), level - 1, at, start, end, visit, leave_table);
    if (level == 2 && at >= start && at + span <= end) leave_table(e);
  }
}

bool AddressSpace::split_huge(u64* entry) {
  Page* table_page = alloc_page(Zero::kNo);
  if (table_page == nullptr) return false;
  const u64 old = *entry;
  const u64 physical = old & kPteAddress & ~(kHugeSize - 1);
  auto* table = static_cast<u64*>(address_of(*table_page));
  for (u64 i = 0; i < 512; ++i)
    table[i] = (physical + i * kPageSize) | (old & (0xfff | kPteNoExec) & ~u64{kPteHuge});
  split_allocation(*page_of(PhysAddr{physical}));
  *entry = raw(phys_of(*table_page)) | kPtePresent | kPteWrite | kPteUser;
  return true;
}

Result<void> AddressSpace::split_borders(u64 start, u64 end) {
  for (u64 border : {start, end}) {
    if ((border & (kHugeSize - 1)) == 0) continue;
    bool huge = false, split = true;
    {
      LockGuard tables(table_lock_);
      Pte* e = find_entry(raw(root_), border, false, &huge);
      if (e == nullptr || !huge || (*e & kPtePresent) == 0) continue;
      split = split_huge(e);
    }
    if (!split) return Errno::NoMemory;
    const u64 base = align_down(border, kHugeSize);
    flush_range(base, base + kHugeSize, cpus_.load(std::memory_order_acquire));
  }
  return {};
}

void AddressSpace::zap(u64 start, u64 end, bool keep_tables) {
  if (start >= end) return;
  const bool alone = (cpus_.load(std::memory_order_acquire) & (cpus_.load(std::memory_order_relaxed) - 1)) == 0;
  u64 at = start;
  while (at < end) {
    Doomed doomed;
    u64 low = ~u64{0}, high = 0;
    u64 stopped = end;
    u64 freed = 0;
    table_lock_.lock();
    auto visit = [&](u64& e, u64 address, int level) {
      if (stopped != end) return;
      if (doomed.full()) {
        stopped = address;
        return;
      }
      Page& p = *page_of(PhysAddr{e & kPteAddress});
      e = 0;
      low = min(low, address);
      high = max(high, address + span_of(level));
      freed += level == 2 ? 512 : 1;
      if (alone)
        put_page(p);
      else
        doomed.add(p);
    };
    auto leave = [&](u64& e) {
      if (keep_tables || stopped != end || doomed.full()) return;
      Page& table = *page_of(PhysAddr{e & kPteAddress});
      e = 0;
      // The cached walk to this table goes with any flush of its range.
      low = min(low, at);
      high = max(high, at + kPageSize);
      doomed.add(table);
    };
    walk(table_of(raw(root_)), 4, 0, at, end, visit, leave);
    resident_.fetch_sub(freed, std::memory_order_relaxed);
    table_lock_.unlock();
    if (low < high) flush_range(low, high, cpus_.load(std::memory_order_acquire));
    doomed.release();
    at = stopped;
  }
}

// Nothing is moved before every table is there and every large page that cannot move as a whole is split.
Result<void> AddressSpace::prepare_move(u64 from, u64 to, u64 length) {
  TRY(split_borders(from, from + length));
  for (u64 offset = 0; offset < length;) {
    // Up to the next border of a table, on either side.
    const u64 step = min(length - offset, min(kHugeSize - ((from + offset) & (kHugeSize - 1)),
                                              kHugeSize - ((to + offset) & (kHugeSize - 1))));
    LockGuard tables(table_lock_);
    bool huge = false, target_huge = false;
    Pte* source = find_entry(raw(root_), from + offset, false, &huge);
    if (source != nullptr) {
      const bool whole = huge && step == kHugeSize;
      if (whole) {
        Pte* target = find_huge_entry(raw(root_), to + offset, true);
        if (target == nullptr) return Errno::NoMemory;
        if (*target != 0 && !split_huge(source)) return Errno::NoMemory;
      } else {
        if (huge && (*source & kPtePresent) != 0 && !split_huge(source)) return Errno::NoMemory;
        if (find_entry(raw(root_), to + offset, true, &target_huge) == nullptr) return Errno::NoMemory;
      }
    }
    offset += step;
  }
  return {};
}

void AddressSpace::move_entries(u64 from, u64 to, u64 length) {
  table_lock_.lock();
  for (u64 offset = 0; offset < length; offset += kPageSize) {
    bool huge = false;
    Pte* source = find_entry(raw(root_), from + offset, false, &huge);
    if (source == nullptr || (*source & kPtePresent) == 0) {
      // Nothing here; step over the rest of an absent table.
      if (source == nullptr && ((from + offset) & (kHugeSize - 1)) == 0 && length - offset >= kHugeSize) {
        offset += kHugeSize - kPageSize;
      }
      continue;
    }
    if (huge) {
      Pte* target = find_huge_entry(raw(root_), to + offset, false);
      ASSERT(target != nullptr && *target == 0);
      *target = *source;
      *source = 0;
      offset += kHugeSize - kPageSize;
      continue;
    }
    bool target_huge = false;
    Pte* target = find_entry(raw(root_), to + offset, false, &target_huge);
    ASSERT(target != nullptr);
    *target = *source;
    *source = 0;
  }
  table_lock_.unlock();
  flush_range(from, from + length, cpus_.load(std::memory_order_acquire));
}

void AddressSpace::apply_protection(const Mapping& m, u64 start, u64 end) {
  u64 low = ~u64{0}, high = 0;
  table_lock_.lock();
  auto visit = [&](u64& e, u64 address, int level) {
    // Writing is granted by the next fault where it needs more than a bit (copy-on-write, dirty marks); private frames
    // that only this space holds get it at once. PROT_NONE keeps the frame but takes it out of the program's reach.
    Page& p = *page_of(PhysAddr{e & kPteAddress});
    const bool own =
        (p.flags.load(std::memory_order_relaxed) & kPageAnon) != 0 && p.refs.load(std::memory_order_relaxed) == 1;
    u64 changed = (e & ~u64{kPteWrite | kPteUser | kPteNoExec}) | protection_bits(m, own && !m.shared());
    if (m.protection == 0) changed &= ~u64{kPteUser | kPteWrite};
    if (changed == e) return;
    e = changed;
    low = min(low, address);
    high = max(high, address + span_of(level));
  };
  auto nothing = [](u64&) {};
  walk(table_of(raw(root_)), 4, 0, start, end, visit, nothing);
  table_lock_.unlock();
  if (low < high) flush_range(low, high, cpus_.load(std::memory_order_acquire));
}

void AddressSpace::write_protect_range(u64 start, u64 end) {
  u64 low = ~u64{0}, high = 0;
  table_lock_.lock();
  auto visit = [&](u64& e, u64 address, int level) {
    if ((e & kPteWrite) == 0) return;
    e &= ~u64{kPteWrite};
    low = min(low, address);
    high = max(high, address + span_of(level));
  };
  auto nothing = [](u64&) {};
  walk(table_of(raw(root_)), 4, 0, start, end, visit, nothing);
  table_lock_.unlock();
  if (low < high) flush_range(low, high, cpus_.load(std::memory_order_acquire));
}

Result<void> AddressSpace::residency(u64 start, u64 length, u8* out) {
  const u64 end = start + page_up(length);
  LockGuard guard(lock);
  for (u64 at = start; at < end; at += kPageSize) {
    Mapping* m = find(at);
    if (m == nullptr) return Errno::NoMemory;
    bool huge = false;
    LockGuard tables(table_lock_);
    const Pte* e = find_entry(raw(root_), at, false, &huge);
    *out++ = e != nullptr && (*e & kPtePresent) != 0 ? 1 : 0;
  }
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
  for (Mapping* m : mappings_) {
    if ((m->flags & kMapDontFork) != 0) continue;
    auto copy = TRY(make_own<Mapping>());
    copy->start = m->start;
    copy->end = m->end;
    copy->protection = m->protection;
    copy->flags = m->flags & ~u32{kMapLocked};
    copy->max_protection = m->max_protection;
    copy->object = m->object;
    copy->object_page = m->object_page;
    copy->file = m->file;
    TRY(child->mappings_.push(nullptr));
    Mapping* placed = copy.release();
    placed->space = child.get();
    child->mappings_[child->mappings_.size() - 1] = placed;
    if (placed->object) placed->object->add_mapping(*placed);
    child->mapped_pages_ += (m->end - m->start) >> kPageShift;
    if ((m->flags & kMapWipeOnFork) != 0) continue;
    // Shared file pages come back by faults; private frames are shared read-only until one side writes.
    if (m->shared() && m->object) continue;
    bool out_of_memory = false;
    u64 copied = 0;
    table_lock_.lock();
    auto visit = [&](u64& e, u64 address, int level) {
      if (out_of_memory) return;
      if (level == 2) {
        if (!split_huge(&e)) {
          out_of_memory = true;
          return;
        }
        u64* table = table_of(e);
        for (u64 i = 0; i < 512; ++i)
          share(table[i], address + i * kPageSize, *child, &out_of_memory, &copied);
        return;
      }
      share(e, address, *child, &out_of_memory, &copied);
    };
    auto nothing = [](u64&) {};
    walk(table_of(raw(root_)), 4, 0, m->start, m->end, visit, nothing);
    table_lock_.unlock();
    child->resident_.fetch_add(copied, std::memory_order_relaxed);
    if (out_of_memory) {
      flush_range(0, kUserEnd, cpus_.load(std::memory_order_acquire));
      return Errno::NoMemory;
    }
  }
  flush_range(0, kUserEnd, cpus_.load(std::memory_order_acquire));
  return child;
}

void AddressSpace::share(u64& entry, u64 address, AddressSpace& child, bool* out_of_memory, u64* copied) {
  if ((entry & kPtePresent) == 0) return;
  bool huge = false;
  Pte* target = find_entry(raw(child.root_), address, true, &huge);
  if (target == nullptr) {
    *out_of_memory = true;
    return;
  }
  entry &= ~u64{kPteWrite};
  get_page(*page_of(PhysAddr{entry & kPteAddress}));
  *target = entry & ~u64{kPteDirty};
  ++*copied;
}

}  // namespace uni::mm
