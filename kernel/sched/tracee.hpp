// SPDX-License-Identifier: Apache-2.0
// What is known of a thread that another one traces (ptrace(2)). Functions and rules: kernel/sched/trace.hpp.
#pragma once

#include <atomic>

#include "kernel/arch/trace.hpp"
#include "kernel/base/list.hpp"
#include "kernel/signal/signal.hpp"

namespace uni::trace {

// PTRACE_O_*.
enum Option : u32 {
  kSysGood = 1,
  kOnFork = 2,
  kOnVfork = 4,
  kOnClone = 8,
  kOnExec = 0x10,
  kOnVforkDone = 0x20,
  kOnExit = 0x40,
  kOnSeccomp = 0x80,
  kExitKill = 1u << 20,
  kSuspendSeccomp = 1u << 21,
};
inline constexpr u32 kKnownOptions = 0xff | kExitKill | kSuspendSeccomp;

// PTRACE_EVENT_*; the option of event N is bit N.
enum Event : int {
  kEventNone = 0,
  kEventFork = 1,
  kEventVfork,
  kEventClone,
  kEventExec,
  kEventVforkDone,
  kEventExit,
  kEventSeccomp,
  kEventStop = 128,
};

// How a stopped tracee goes on.
enum class Resume : u8 { kRun, kToCall, kEmulate };

struct Tracee {
  explicit Tracee(Thread& t) : thread(t) {}
  Thread& thread;
  ListNode node;                         // in the tracer's Process::tracees
  std::atomic<Thread*> tracer{nullptr};  // null: not traced now
  bool seized = false;
  bool tracer_capable = false;  // the tracer had CAP_SYS_PTRACE when it began
  std::atomic<u32> options{0};
  bool dead = false;  // it has ended and waits to be reaped by its tracer
  int end_status = 0;

  // --- the stop ---
  std::atomic<bool> stopped{false};
  std::atomic<bool> listening{false};  // PTRACE_LISTEN: it stays stopped but does not count as such
  bool unreported = false;             // no wait has taken it yet
  int code = 0;                        // status >> 8
  bool at_signal = false;              // the signal of `code` comes next
  bool has_info = false;
  signal::Info info;
  std::atomic<u64> message{0};
  WaitQueue queue;  // the stopped tracee

  // --- what it goes on with ---
  int signal = 0;
  Resume how = Resume::kRun;
  bool step = false;
  // The thread's own registers outside of its frame, taken at the stop; written back where changed.
  arch::UserBases bases{};
  bool bases_changed = false, fpu_changed = false;

  std::atomic<bool> trap_due{false};    // PTRACE_INTERRUPT, the first stop of a seized child; any stop serves it
  std::atomic<bool> notice_due{false};  // SIGCONT of a seized one
  std::atomic<bool> kill_again{false};  // SIGKILL of a process that is ending: leaves the exit stop, too
  std::atomic<u32> stop_seen{0};        // the group stop that it has taken part in (SignalState::stop_count)
  // The thread's own.
  bool forced_step = false;  // the step flag in the frame is the tracer's, not the program's
};

using TraceeList = List<Tracee, &Tracee::node>;

}  // namespace uni::trace
