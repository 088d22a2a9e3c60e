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
  bool leave = false;  // WNOWAIT: the change stays reportable
};

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

// Woken whenever a process is reaped.
WaitQueue& process_gone_queue();

}  // namespace uni
