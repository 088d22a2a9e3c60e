// SPDX-License-Identifier: Apache-2.0
// Start-up of the page allocator; see page.hpp for its use.
#pragma once

#include "kernel/mm/page.hpp"

namespace uni::mm {

// Takes the memory that early.cpp left. Boot processor, once, before any allocation.
void init_pages();
// Gives a processor its page cache; null memory means it works without.
void init_cpu_pages(unsigned cpu);
// Large pages that several address spaces map. Each mapping holds one reference on the head, until the first of them
// makes the frames single ones: from then on one on each frame.
// Makes each frame an allocation of its own, with the head's count of references; nothing where that was done.
void split_allocation(Page& head);
void get_large(Page& head);
void put_large(Page& head);
// Whether the caller's reference is the only one on frames that are still one allocation.
bool only_user(const Page& head);
// The page that holds zeros, mapped read-only wherever unwritten memory is read.
Page& zero_page();

}  // namespace uni::mm
