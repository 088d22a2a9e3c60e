// SPDX-License-Identifier: Apache-2.0
// Walking a range of the user half's page tables. For the files that implement AddressSpace.
#pragma once

#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/page.hpp"

namespace uni::mm {

// In an entry of level 2: the table below is shared with another address space since a fork, and read-only as a whole
// (SDM volume 3, 4.6: a page can be written where every level says so). One of the bits that are software's.
inline constexpr u64 kPteTableShared = u64{1} << 9;

inline u64* table_of(u64 entry) {
  return static_cast<u64*>(phys_to_virt(PhysAddr{entry & arch::kPteAddress}));
}
constexpr u64 span_of(int level) {
  return u64{1} << (12 + 9 * (level - 1));
}

// Calls visit(entry, address, level) for each present leaf in [start, end), and for each table of level 1 that
// as_block(entry, address) takes for one; absent upper levels are stepped over as a whole. leave_table(entry) runs
// behind each fully covered table of level 1. The caller holds the table lock.
template <typename Visit, typename AsBlock, typename LeaveTable>
void walk(u64* table, int level, u64 base, u64 start, u64 end, Visit& visit, AsBlock& as_block,
          LeaveTable& leave_table) {
  const u64 span = span_of(level);
  for (u64 at = max(base, align_down(start, span)); at < end && at < base + 512 * span; at += span) {
    u64& e = table[(at >> (12 + 9 * (level - 1))) & 511];
    if (e == 0) continue;
    if (level == 1 || (e & arch::kPteHuge) != 0 || (level == 2 && as_block(e, at))) {
      visit(e, at, level);
      continue;
    }
    walk(table_of(e), level - 1, at, start, end, visit, as_block, leave_table);
    if (level == 2 && at >= start && at + span <= end) leave_table(e);
  }
}

inline bool is_shared_table(const u64& entry, u64) {
  return (entry & kPteTableShared) != 0;
}

using PutPage = void (*)(Page&);
// Gives a reference on a shared table back; the last one gives back those of its entries.
void put_table(Page& table);

}  // namespace uni::mm
