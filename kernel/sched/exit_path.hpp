// SPDX-License-Identifier: Apache-2.0
// The way back to user mode, shared by system calls, faults and interrupts.
#pragma once

#include "kernel/arch/trap_frame.hpp"

namespace uni {

// Signals and exits, defined by the ABI layer (syscall-shim/linux/signal_deliver.cpp). May not return (the thread
// ends).
extern "C" void user_attention(TrapFrame* frame);
// Restartable sequences (syscall-shim/linux/rseq.cpp), where Thread::rseq_stale says so. May block on user memory.
extern "C" void rseq_before_user(TrapFrame* frame);

namespace sched {

// Switches where due, delivers signals, loads the vector state. Interrupts stay off.
void before_user(TrapFrame& frame);

}  // namespace sched
}  // namespace uni
