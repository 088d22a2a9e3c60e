// SPDX-License-Identifier: Apache-2.0
// Changes of the user half's page tables: taking pages out, moving them, protecting them.
// Invariant: a present entry holds one reference on its frame. A large entry holds one on the head of its 512 frames,
// or, where those were made single ones for another space (split_allocation), one on each. An entry with
// kPteTableShared holds one on the table, whose entries hold their frames for all spaces that share it (fork.cpp).
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/page_init.hpp"
#include "kernel/mm/page_walk.hpp"

namespace uni::mm {

using namespace arch;

namespace {

// Frames and tables that must outlive the translation caches: given back after the flush.
class Doomed {
 public:
  void add(Page& p, PutPage put) {
    pages_[count_] = &p;
    puts_[count_++] = put;
  }
  bool full() const { return count_ == kCapacity; }
  void release() {
    for (usize i = 0; i < count_; ++i)
      puts_[i](*pages_[i]);
    count_ = 0;
  }

 private:
  static constexpr usize kCapacity = 128;
  Page* pages_[kCapacity];
  PutPage puts_[kCapacity];
  usize count_ = 0;
};

u64 protection_bits(const Mapping& m, bool writable) {
  u64 bits = kPteUser;
  if (writable && (m.protection & kProtWrite) != 0) bits |= kPteWrite;
  if ((m.protection & kProtExec) == 0) bits |= kPteNoExec;
  return bits;
}

}  // namespace

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
      if (!own_table(border)) return Errno::NoMemory;
      Pte* e = find_entry(raw(root_), border, false, &huge);
      if (e == nullptr || !huge || (*e & kPtePresent) == 0) continue;
      split = split_huge(e);
    }
    if (!split) return Errno::NoMemory;
    const u64 base = align_down(border, kHugeSize);
    flush(base, base + kHugeSize);
  }
  return {};
}

void AddressSpace::zap(u64 start, u64 end, bool keep_tables) {
  if (start >= end) return;
  const bool alone = used_by_one_thread();
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
      const bool table = (e & kPteTableShared) != 0;
      const PutPage put = table ? put_table : level == 2 ? put_large : put_page;
      ASSERT(!table || (address >= at && address + kHugeSize <= end));
      e = 0;
      low = min(low, address);
      high = max(high, address + span_of(level));
      freed += table ? p.index : level == 2 ? 512 : 1;
      if (alone && !table)
        put(p);
      else
        doomed.add(p, put);
    };
    auto leave = [&](u64& e) {
      if (keep_tables || stopped != end || doomed.full()) return;
      Page& table = *page_of(PhysAddr{e & kPteAddress});
      e = 0;
      // The cached walk to this table goes with any flush of its range.
      low = min(low, at);
      high = max(high, at + kPageSize);
      doomed.add(table, put_page);
    };
    walk(table_of(raw(root_)), 4, 0, at, end, visit, is_shared_table, leave);
    resident_.fetch_sub(freed, std::memory_order_relaxed);
    table_lock_.unlock();
    if (low < high) flush(low, high);
    doomed.release();
    at = stopped;
  }
}

// Nothing is moved before every table is there and every large page that cannot move as a whole is split.
Result<void> AddressSpace::prepare_move(u64 from, u64 to, u64 length) {
  TRY(split_borders(from, from + length));
  TRY(own_range(from, from + length));
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
  flush(from, from + length);
}

void AddressSpace::apply_protection(const Mapping& m, u64 start, u64 end) {
  u64 low = ~u64{0}, high = 0;
  table_lock_.lock();
  auto visit = [&](u64& e, u64 address, int level) {
    // Writing is granted by the next fault where it needs more than a bit (copy-on-write, dirty marks); private frames
    // that only this space holds get it at once. PROT_NONE keeps the frame but takes it out of the program's reach.
    Page& p = *page_of(PhysAddr{e & kPteAddress});
    ASSERT((e & kPteTableShared) == 0);
    const bool own = (p.flags.load(std::memory_order_relaxed) & kPageAnon) != 0 &&
                     (level == 2 ? only_user(p) : p.refs.load(std::memory_order_relaxed) == 1);
    u64 changed = (e & ~u64{kPteWrite | kPteUser | kPteNoExec}) | protection_bits(m, own && !m.shared());
    if (m.protection == 0) changed &= ~u64{kPteUser | kPteWrite};
    if (changed == e) return;
    e = changed;
    low = min(low, address);
    high = max(high, address + span_of(level));
  };
  auto nothing = [](u64&) {};
  walk(table_of(raw(root_)), 4, 0, start, end, visit, is_shared_table, nothing);
  table_lock_.unlock();
  if (low < high) flush(low, high);
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
  walk(table_of(raw(root_)), 4, 0, start, end, visit, is_shared_table, nothing);
  table_lock_.unlock();
  if (low < high) flush(low, high);
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

}  // namespace uni::mm
