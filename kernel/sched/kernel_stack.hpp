// SPDX-License-Identifier: Apache-2.0
// The kernel's stacks, one for each thread: in the kernel's range, with an unmapped page below each.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni::sched {

inline constexpr usize kKernelStackSize = 16 * kKiB;

// A stack's lowest address. A used one is taken before memory is. Does not block. Errors: NoMemory.
Result<u8*> take_stack();
// Gives one back that nobody runs on. Up to kKeptStacks stay mapped for the next thread; the memory of the others is
// freed soon, by deferred work. Does not block; locks of rank kWaitQueue or less.
void give_stack(u8* stack);

inline constexpr usize kKeptStacks = 64;

}  // namespace uni::sched
