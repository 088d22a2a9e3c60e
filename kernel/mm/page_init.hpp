// SPDX-License-Identifier: Apache-2.0
// Start-up of the page allocator; see page.hpp for its use.
#pragma once

#include "kernel/mm/page.hpp"

namespace uni::mm {

// Takes the memory that early.cpp left. Boot processor, once, before any allocation.
void init_pages();
// Gives a processor its page cache; null memory means it works without.
void init_cpu_pages(unsigned cpu);
// Makes each frame of a multi-frame allocation an allocation of its own (one reference each), so that parts can be
// freed.
void split_allocation(Page& head);
// The page that holds zeros, mapped read-only wherever unwritten memory is read.
Page& zero_page();

}  // namespace uni::mm
