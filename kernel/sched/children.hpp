// SPDX-License-Identifier: Apache-2.0
// Waiting for children (wait(2)), and what a process leaves behind when it ends.
#pragma once

#include "kernel/sched/process.hpp"

namespace uni {

// Which children, and which changes of them.
struct WaitSelection {
  enum class Kind : u8 { kAny, kPid, kGroup };
  // Children that tell their end with SIGCHLD, with something else (__WCLONE), or both (__WALL).
  enum class Family : u8 { kOrdinary, kClone, kAll };
  Kind kind = Kind::kAny;
  Pid number{};
  Family family = Family::kOrdinary;
  bool exited = true, stopped = false, continued = false;
  bool this_thread = false;  // __WNOTHREAD: what another thread of the process traces is passed over
  bool leave = false;        // WNOWAIT: the change stays reportable
};

// The parent that programs are shown: 0 for the image's own program, whose parent is outside of what it may know, as in
// a container. Then it does not take itself for an orphan.
u32 shown_parent(const Process& process);

// siginfo's CLD_* codes (sigaction(2)).
enum class ChildCode : int { kExited = 1, kKilled, kDumped, kTrapped, kStopped, kContinued };

struct WaitReport {
  Pid pid{};
  u32 uid = 0;
  ChildCode code{};
  int wait_status = 0;  // as wait4 encodes it
  int value = 0;        // si_status: the exit code or the signal
  ResourceUsage usage;
};

// Looks once, without blocking: true with *report filled, or false where nothing has changed yet. A zombie that is
// reported is gone then, unless `leave`. Errors: NoChild (none is selected).
Result<bool> try_wait(Process& parent, const WaitSelection& selection, WaitReport* report);

// Tells the parent that the process has stopped (by signal `number`) or goes on. Needs no lock.
void report_stopped(Process& process, int number);
void report_continued(Process& process);

// Sends `to` the signal `number` about the thread or process `pid` of `child`, as siginfo's CLD_* describe it. Needs
// process_tree_lock().
void tell(Process& to, Process& child, u32 pid, int number, ChildCode code, int value);
// Does the process not want to know of ended children (sigaction(2), SA_NOCLDWAIT)?
bool ignores_children(Process& process);
// Wakes who waits in wait(2). Needs process_tree_lock().
void wake_waiters(Process& parent);
ChildCode end_code(int wait_status);
int end_value(int wait_status);
// Fills a report of `child`, but for the resources that zombies of threads have used. Needs process_tree_lock().
void describe(Process& child, ChildCode code, int number, WaitReport* report);
// Tells the parent of a zombie of its end; reaps it where nobody wants to know. Needs process_tree_lock().
RefPtr<Process> report_end(Process& process);
// Takes a zombie out of the tree for good. The caller drops what it gets after process_tree_lock().
RefPtr<Process> reap_locked(Process& process);

// The part of try_wait() for what the process's threads trace (trace_wait.cpp); *any is set where one is selected.
// What it gives to drop goes after the lock. Needs process_tree_lock().
struct WaitDrops {
  RefPtr<Process> process;
  RefPtr<Thread> thread;
};
bool try_wait_tracees(Process& tracer, const WaitSelection& selection, WaitReport* report, bool* any, WaitDrops* drops);

// Woken whenever a process is reaped.
WaitQueue& process_gone_queue();

}  // namespace uni
