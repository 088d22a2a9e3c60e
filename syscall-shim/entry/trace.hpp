// SPDX-License-Identifier: Apache-2.0
// Prints each system call in strace's format on the kernel log (boot configuration trace=strace).
#pragma once

#include "kernel/base/types.hpp"
#include "kernel/signal/signal.hpp"

namespace uni::shim {

// What the dispatch does beside calling the handler: 0 where nothing traces and no thread was ever bound by seccomp(2)
// or traced by another one (ptrace(2)).
enum EntryCheck : u8 { kEntryTraced = 1, kEntryFiltered = 2, kEntryTracees = 4 };
extern u8 entry_checks;
// True where trace=strace.
extern bool trace_enabled;
// Reads the boot configuration. Called once at boot.
void trace_init();

// Before the handler runs. Prints calls that do not return (exit, exit_group, execve, rt_sigreturn), remembers nothing.
void trace_enter(u64 number, const u64* regs);
// After it: the whole line. `result` is what the program will see in rax, or a restart code.
void trace_exit(u64 number, const u64* regs, i64 result);
// A signal is about to be delivered: `--- SIGINT {si_signo=SIGINT, si_code=SI_USER, ...} ---`.
void trace_signal(const signal::Info& info);
// The process ended by a signal.
void trace_killed(int number);

}  // namespace uni::shim
