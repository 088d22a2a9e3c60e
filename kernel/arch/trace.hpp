// SPDX-License-Identifier: Apache-2.0
// What a tracer needs of the processor: single steps, debug registers, the registers that lie outside of a TrapFrame.
// All about the current thread, but where a thread is named.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni {
class Thread;
}
namespace uni::arch {

// The debug registers of a thread (SDM volume 3, 17.2), made when a tracer first writes one.
struct DebugState {
  u64 address[4] = {};
  u64 status = 0;   // DR6 as the program's tracer sees it
  u64 control = 0;  // DR7
};

// A step flag in saved registers: the processor traps behind the next instruction in user mode.
bool single_step(const TrapFrame& frame);
void set_single_step(TrapFrame& frame, bool on);

// Debug register `number` as PTRACE_PEEKUSER shows it. Errors: Invalid (an address that is not the program's, or bits
// that no tracer may set), NoMemory. A change counts from the thread's next debug_load() or switch on. Needs: the
// thread is stopped or the current one.
u64 debug_register(const Thread& thread, unsigned number);
Result<void> set_debug_register(Thread& thread, unsigned number, u64 value);
void clear_debug_registers(Thread& thread);
// Makes the processor's debug registers the thread's. From the scheduler, and by a thread that goes on.
void debug_load(const Thread& thread);

// The thread's FS and GS bases.
struct UserBases {
  u64 fs, gs;
};
UserBases user_bases();
void set_user_bases(const UserBases& bases);

// Writes the vector state to Thread::fpu, complete and in the standard form, and leaves it there: until fpu_reload()
// or user mode another thread may read and change it.
void fpu_park();
// Takes a changed Thread::fpu. What no processor could load becomes the initial state.
void fpu_reload();
// Checks and merges what a tracer hands in into a parked area: 512 bytes of FXSAVE, or a whole XSAVE area. Errors:
// Invalid (reserved bits), Fault (the wrong size).
Result<void> fpu_set_legacy(void* area, const void* from);
Result<void> fpu_set_extended(void* area, const void* from, usize size);
bool has_extended_state();

}  // namespace uni::arch
