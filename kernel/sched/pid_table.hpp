// SPDX-License-Identifier: Apache-2.0
// The numbers of threads, processes, groups and sessions: one space, as on Linux. A number is free when no thread, no
// process, and no process's group or session has it.
// Locking: its own, under which it allocates; nothing here blocks.
#pragma once

#include "kernel/sched/process.hpp"

namespace uni::pids {

inline constexpr u32 kLimit = 32768;  // kernel.pid_max

// Gives the thread a number; the first thread of a process whose pid is 0 gives the process the same one.
// Errors: Again (none is free, or too many threads for this machine's memory), NoMemory.
Result<Tid> assign(Thread& thread, bool names_process);
// The number no longer finds the thread.
void retire_thread(Tid tid, const Thread& thread);
// execve(2) by a thread that is not the leader: it takes over the leader's number.
void take_over(Tid leader, Tid own, Thread& thread);
// Puts a process at a fixed number (init).
Result<void> place(Pid pid, Process& process, Thread& thread);
// The process is reaped.
void retire_process(Pid pid);
// A process enters or leaves a group or session.
void add_user(Pid number);
void drop_user(Pid number);
// The number given last, and what is to count as such (/proc/sys/kernel/ns_last_pid). Below kLimit.
u32 last();
void set_last(u32 number);
// With a reference, or null.
RefPtr<Process> find_process(Pid pid);
RefPtr<Thread> find_thread(Tid tid);
// Threads on the machine, and the most threads and processes that there may be: they follow from memory and the
// manifest.
u32 thread_count();
u32 process_count();  // without init
u32 most_threads();
u32 most_processes();

}  // namespace uni::pids
