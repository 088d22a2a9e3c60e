// SPDX-License-Identifier: Apache-2.0
// ptrace(2): the requests, and the stops of system calls. What tracing is stands in kernel/sched/trace.hpp.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sched/trace.hpp"

namespace uni::shim {

Result<i64> sys_ptrace(i64 request, i32 tid, u64 address, u64 data);

// --- the way of a traced call (entry/dispatch.cpp) ---

inline constexpr u64 kNoCall = ~u64{0};  // a tracer's -1 in orig_rax: nothing is called
u64 call_number(const TrapFrame& frame);
void read_arguments(const TrapFrame& frame, u64* regs);
// The entry stop, where one is due. False: the call is not to be made.
bool before_call(Thread& thread, TrapFrame& frame);
// The exit stop; frame.rax is the result.
void after_call(Thread& thread, TrapFrame& frame);

// --- registers of a stopped tracee (ptrace_registers.cpp); all need process_tree_lock() ---

struct UserRegisters {  // struct user_regs_struct
  u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, rflags, rsp, ss;
  u64 fs_base, gs_base, ds, es, fs, gs;
};
static_assert(sizeof(UserRegisters) == 216);

UserRegisters get_registers(const trace::Tracee& tracee);
// Errors: Io (a segment or a base that user mode cannot have).
Result<void> set_registers(trace::Tracee& tracee, const UserRegisters& from);
// PTRACE_PEEKUSER and PTRACE_POKEUSER: a word of struct user. Errors: Io, Invalid, NoMemory.
Result<u64> peek_user(const trace::Tracee& tracee, u64 offset);
Result<void> poke_user(trace::Tracee& tracee, u64 offset, u64 value);

// PTRACE_GETREGSET and PTRACE_SETREGSET by note type. Gives the bytes. Errors: Invalid (no such set), NoDevice.
enum RegisterSet : u32 { kSetStatus = 1, kSetFloat = 2, kSetExtended = 0x202 };
usize register_set_size(u32 type);  // 0: there is none
void read_register_set(const trace::Tracee& tracee, u32 type, void* to);
Result<void> write_register_set(trace::Tracee& tracee, u32 type, const void* from, usize size);

}  // namespace uni::shim
