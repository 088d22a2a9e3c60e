// SPDX-License-Identifier: Apache-2.0
// The scheduler's and the trap code's side of the vector state (fpu.cpp opens with the rules).
#pragma once

#include "kernel/base/types.hpp"

namespace uni {
class Thread;
}
namespace uni::arch {

// The thread is leaving the processor: keep its registers, where they changed.
void fpu_switch_out(Thread& thread);
// The current thread goes to user mode next.
void fpu_before_user();
// The state of a program that has not run yet.
void fpu_fill_initial(void* area);

}  // namespace uni::arch
