// SPDX-License-Identifier: Apache-2.0
// Signals: sets, queues, dispositions, sending. The frame that a handler sees is the ABI's business
// (syscall-shim/linux/signal_frame). Locking: everything of a process, its threads' pending sets included, is under
// SignalState::lock (Rank::kSignal).
#pragma once

#include <atomic>

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/span.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni {

class Process;
class Thread;

namespace signal {

inline constexpr int kCount = 64;
enum Number : int {
  kHup = 1,
  kInt,
  kQuit,
  kIll,
  kTrap,
  kAbrt,
  kBus,
  kFpe,
  kKill,
  kUsr1,
  kSegv,
  kUsr2,
  kPipe,
  kAlrm,
  kTerm,
  kStkFlt,
  kChld,
  kCont,
  kStop,
  kTstp,
  kTtin,
  kTtou,
  kUrg,
  kXcpu,
  kXfsz,
  kVtAlrm,
  kProf,
  kWinch,
  kIo,
  kPwr,
  kSys,
  kRtMin = 32,
};

// Signals 1 to 64 as bits 0 to 63: the kernel's sigset_t.
using Set = u64;
constexpr Set bit(int number) {
  return Set{1} << (number - 1);
}
inline constexpr Set kUnblockable = bit(kKill) | bit(kStop);

// siginfo_t, independent of its layout.
struct Info {
  int number = 0;
  int code = 0;  // SI_USER 0, SI_KERNEL 0x80, SI_QUEUE -1, SI_TIMER -2, SI_TKILL -6, SEGV_MAPERR 1, ...
  int error = 0;
  u32 pid = 0, uid = 0;  // sender, or the child for SIGCHLD
  u64 value = 0;         // sigval
  u64 address = 0;       // faults
  int status = 0;        // SIGCHLD
  u64 user_time = 0, system_time = 0;
  int timer_id = 0, overrun = 0;
  int band = 0, fd = 0;
};

struct Action {
  u64 handler = 0;  // 0 default, 1 ignore, else an address
  u64 flags = 0;    // SA_*
  u64 restorer = 0;
  Set mask = 0;
};
inline constexpr u64 kHandlerDefault = 0;
inline constexpr u64 kHandlerIgnore = 1;
enum ActionFlag : u64 {
  kNoChildStop = 1,
  kNoChildWait = 2,
  kSigInfo = 4,
  kRestorer = 0x04000000,
  kOnStack = 0x08000000,
  kRestart = 0x10000000,
  kNoDefer = 0x40000000,
  kResetHand = 0x80000000,
};

struct Queued {
  ListNode node;
  Info info;
};

// Signals that wait for delivery: real-time ones queue, others keep one Info each.
struct Pending {
  Set set = 0;
  List<Queued, &Queued::node> queue;
};

// A process's part; CLONE_SIGHAND shares it between the threads of a process.
struct SignalState : RefCounted {
  SpinLock lock{Rank::kSignal};
  // The dispositions: this state's own, or those of the process that it shares them with (CLONE_SIGHAND between
  // processes), which `lender` keeps alive. A change by one is seen by the other; each looks under its own lock.
  Action own_actions[kCount];
  Action* actions = own_actions;
  RefPtr<SignalState> lender;
  Pending shared;            // sent to the process
  WaitQueue signalfd_queue;  // woken (poll In) when a signal is queued
  WaitQueue stop_queue;      // threads of a stopped process wait here
  std::atomic<bool> stopped{false};
  std::atomic<u32> stop_count{0};      // group stops so far, for tracees (kernel/sched/trace.hpp)
  std::atomic<int> stop_signal{0};     // of the last one
  std::atomic<bool> continued{false};  // was stopped until SIGCONT came; its first thread to run tells the parent
  u32 queued_count = 0;  // of Queued in all pending sets; bounded by RLIMIT_SIGPENDING for what programs queue
  List<Queued, &Queued::node> spare;
  u32 spare_count = 0;

  ~SignalState() override;
};

// A new process's state: dispositions as fork(2) copies them, nothing pending. Errors: NoMemory.
enum class CopyHandlers : u8 { kCopy, kShare, kClear };
Result<RefPtr<SignalState>> copy_state(SignalState& parent, CopyHandlers how);

// Sends to a process (any thread that does not block it) or to one thread. Errors: Again (queue limit, real-time only),
// NoMemory.
Result<void> send(Process& to, const Info& info);
Result<void> send(Thread& to, const Info& info);
// To every process of a group, without permission checks. Errors: NoProcess (the group is empty).
Result<void> send_to_group(u32 group, const Info& info);
// Would a signal to the process be dropped now, because it is ignored and no thread blocks it?
bool would_ignore(Process& process, int number);
// A fault of the current thread: delivered at once; the process is killed where it is blocked or ignored (Linux's
// force_sig_info).
void force(Thread& to, const Info& info);

// Is an unblocked signal waiting for the thread (so that a blocking call must return)? Lock-free; may say yes too
// often.
bool pending(const Thread& thread);
// True when the waiting signal is fatal (SIGKILL or the process is ending).
bool fatal_pending(const Thread& thread);

// Takes the next signal for the current thread among `wanted`; false when there is none. For delivery, sigtimedwait,
// signalfd.
bool dequeue(Thread& thread, Set wanted, Info* out);
// "SIGSEGV"; "SIGRT_1" for real-time signals, as strace writes it; "SIG?" for what is none. Writes into `buffer`.
StringView name_of(int number, Span<char> buffer);
// Does the signal's default action end the process with a core file?
bool dumps_core(int number);

// The next thing to do about signals on the current thread's way to user mode: takes signals, drops the ignored.
enum class Delivery : u8 { kNothing, kHandler, kFatal, kStop };
Delivery next_delivery(Thread& thread, Info* info, Action* action);
// Stops the process by signal `number` and tells its parent: every thread waits in wait_while_stopped on its way to
// user mode, until SIGCONT or its end.
void stop(Process& process, int number);
void wait_while_stopped(Thread& thread);
// The thread ends: what was sent to it alone is dropped, what it was chosen for goes to another thread.
void detach(Thread& thread);
// execve(2): handlers become the default, ignored signals stay ignored; the alternate stack goes.
void reset_for_exec(Thread& thread);
// Changes a disposition; drops what is pending where the new one ignores it.
void set_action(Process& process, int number, const Action& action);
// SIGSTOP without siginfo and without cancelling anything: the first stop of a thread that is born traced.
void post_bare(Thread& thread, int number);
// The signal at a place of a pending queue, of the thread or of its process, for PTRACE_PEEKSIGINFO.
bool peek(Thread& thread, bool shared, u64 index, Info* out);
// What rt_sigpending(2) gives: blocked signals that wait.
Set pending_set(Thread& thread);
// Changes a thread's blocked set, the current one's or that of a stopped tracee (never KILL and STOP); recomputes what
// is pending.
void set_blocked(Thread& thread, Set blocked);

}  // namespace signal
}  // namespace uni
