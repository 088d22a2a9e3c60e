// SPDX-License-Identifier: Apache-2.0
// The frame on the program's stack that a signal handler returns through (psABI and Linux's
// arch/x86/kernel/signal_64.c).
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/result.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/signal/signal.hpp"

namespace uni::shim {

// Saves the current thread's registers, vector state and blocked set on its stack and points `frame` at the handler.
// Errors: Fault (no usable stack). May block.
Result<void> enter_handler(Thread& thread, TrapFrame& frame, const signal::Info& info, const signal::Action& action);
// The way back: takes everything from the frame that the stack pointer shows. Nothing in it is trusted. Errors: Fault
// (the frame is not there or not possible). May block.
Result<void> leave_handler(Thread& thread, TrapFrame& frame);

// sigaltstack(2)'s flags for a stack pointer: SS_ONSTACK, SS_DISABLE or 0.
u32 alt_stack_state(const Thread& thread, u64 stack_pointer);

}  // namespace uni::shim
