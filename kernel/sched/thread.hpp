// SPDX-License-Identifier: Apache-2.0
// Threads: what the scheduler runs. A Thread that belongs to a process may enter user mode; a kernel thread has no
// process. Lifetime: counted; the scheduler holds a reference from start to exit, the process's thread list another.
#pragma once

#include <atomic>

#include "kernel/arch/trace.hpp"
#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/security/landlock_holder.hpp"
#include "kernel/signal/signal.hpp"
#include "kernel/time/timer.hpp"

namespace uni {

class Process;
struct TrapFrame;
namespace trace {
struct Tracee;
}
namespace fs {
struct FsContext;
}

enum class Tid : u32 {};
constexpr u32 raw(Tid t) {
  return static_cast<u32>(t);
}

// kWaking: a waker has won the thread and is about to queue it.
enum class ThreadState : u8 { kRunnable, kSleeping, kWaking, kDead };

namespace sched {
// SCHED_* of sched(7). kDeadline is known and refused.
enum class Policy : u8 { kOther = 0, kFifo = 1, kRoundRobin = 2, kBatch = 3, kIdle = 5, kDeadline = 6 };
constexpr bool is_real_time(Policy p) {
  return p == Policy::kFifo || p == Policy::kRoundRobin;
}
inline constexpr u32 kUnitPace = 1 << 16;
}  // namespace sched

// Where memory is to come from (numa(7)): a mode of linux/mempolicy.h with its flags, and the nodes as a mask.
struct MemoryPolicy {
  u16 mode = 0;
  u64 nodes = 0;
};

class Thread : public RefCounted {
 public:
  // A kernel thread running entry(context) on its own stack; start() makes it run. Errors: NoMemory.
  static Result<RefPtr<Thread>> create_kernel(const char* name, void (*entry)(void*), void* context);
  // A thread of `process` that enters user mode with `frame`. Used by exec and clone.
  static Result<RefPtr<Thread>> create_user(Process& process, const TrapFrame& frame);
  void start();

  static Thread& current();
  // The process; must not be called on kernel threads (they have none).
  Process& process() const { return *process_; }
  bool is_kernel() const { return process_ == nullptr; }

  Tid tid() const { return tid_; }
  char name[16] = {};

  // --- scheduling; owned by the scheduler ---
  std::atomic<ThreadState> state{ThreadState::kRunnable};
  std::atomic<bool> on_cpu{false};
  std::atomic<u32> cpu{0};  // where it runs or last ran
  u64 affinity = ~u64{0};   // allowed processors
  int nice = 0;
  sched::Policy policy = sched::Policy::kOther;
  u8 rt_priority = 0;           // of kFifo and kRoundRobin: 1 to 99
  u8 boost = 0;                 // the highest real-time priority that waits for something this thread holds
  u8 priority = 0;              // what counts: the higher of the two; 0 shares the processor fairly
  bool reset_on_fork = false;   // SCHED_RESET_ON_FORK
  u32 pace = sched::kUnitPace;  // how fast virtual time passes while it runs: 16.16, 1 at nice 0
  u64 virtual_time = 0;         // cycles; the waiting thread with the least runs next
  ListNode run_node;
  bool queued = false;       // on a run queue; guarded by that queue's lock
  u8 queued_at = 0;          // the bucket it is queued in
  std::atomic<u32> home{0};  // whose run queue it is, or was last, on; virtual_time counts there
  u64 slice_end = 0;
  u64 kernel_sp = 0;           // saved stack pointer while not running
  u8* kernel_stack = nullptr;  // lowest usable address
  // What it ran in cycles, until accounted_at (a value of the counter). All counts as the program's until a tick finds
  // it in the kernel; ticked_at is what user_cycles was at the last one.
  u64 user_cycles = 0, system_cycles = 0, accounted_at = 0, ticked_at = 0;
  mutable std::atomic<u64> shown_user_cycles{0};  // the most that anybody was told
  u64 voluntary_switches = 0, involuntary_switches = 0;
  u64 minor_faults = 0, major_faults = 0;

  // --- user registers that the switch saves ---
  u64 fs_base = 0, gs_base = 0;
  void* fpu = nullptr;         // XSAVE area, 64-byte aligned
  u32 fpu_cpu = ~0u;           // the processor whose registers hold this state too
  bool fpu_dirty = false;      // was in user mode since the area was written
  TrapFrame* frame = nullptr;  // the frame of the current entry from user mode

  u64 trap_number = 0, trap_error = 0;  // of the last fault, for signal frames
  OwnPtr<arch::DebugState> debug;       // null until a tracer sets one of its debug registers
  bool debug_armed = false;             // one of them is enabled

  // ptrace(2), kernel/sched/trace.hpp: made when it is first traced, kept until the thread is freed.
  std::atomic<trace::Tracee*> tracee{nullptr};

  // --- ABI state ---
  u64 clear_child_tid = 0;     // set_tid_address(2)
  u64 set_child_tid = 0;       // written by the thread itself before it first enters user mode
  u64 robust_list = 0;         // set_robust_list(2)
  bool gave_up_locks = false;  // it ends: nobody may begin to wait for a lock that it holds
  u64 rseq_address = 0;        // rseq(2)
  u32 rseq_length = 0, rseq_signature = 0;
  bool rseq_stale = false;  // was off its processor since the area was written
  int exit_status = 0;
  static constexpr u64 kTimerSlack = 50'000;
  u64 timer_slack_ns = kTimerSlack;          // PR_SET_TIMERSLACK; timers are exact, so it is only kept
  u64 default_timer_slack_ns = kTimerSlack;  // its maker's when it was made

  MemoryPolicy memory_policy;  // set_mempolicy(2); a child's is its maker's

  // What unshare(2) or a clone without CLONE_FS has made the thread's own; null: its process's. Process::current_fs()
  // reads it. Written by the thread itself under Process::lock.
  RefPtr<fs::FsContext> own_fs;

  // seccomp(2) and landlock(7): what binds the thread and all that it makes; null where nothing does. The filters are
  // the ABI layer's objects.
  std::atomic<u8> seccomp_mode{0};
  RefPtr<RefCounted> seccomp;
  landlock::Holder landlock;
  u32 seccomp_filters = 0;  // how many, for /proc/PID/status

  // --- signals; under SignalState::lock ---
  signal::Set blocked = 0;
  signal::Set saved_blocked = 0;  // to restore after sigsuspend, ppoll, pselect, epoll_pwait
  bool restore_saved_blocked = false;
  signal::Pending pending;
  u64 alt_stack_base = 0, alt_stack_size = 0;
  u32 alt_stack_flags = 2;  // SS_DISABLE
  u64 fault_address = 0;    // CR2 of the last page fault in user mode, for signal frames
  // Work before going back to user mode: a signal may be deliverable, or the thread must end. Set by others, lock-free.
  std::atomic<bool> attention{false};
  std::atomic<bool> work_due{false};  // it has deferred work (sched::defer): the same, but no wait ends for it
  std::atomic<bool> must_exit{false};
  std::atomic<bool> parked{false};  // stands still for a core file (Process::begin_dump)

  // restart_syscall(2): what to call after a stop or an ignored signal.
  Result<i64> (*restart)(Thread&) = nullptr;
  u64 restart_args[4] = {};

  ListNode process_node;  // in Process::threads

 private:
  friend class Process;
  friend class OwnPtr<Thread>;
  friend struct ThreadAccess;
  Thread() = default;
  ~Thread() override;
  Process* process_ = nullptr;
  Tid tid_{};
  void (*entry_)(void*) = nullptr;
  void* entry_context_ = nullptr;
};

namespace sched {

// Lets others of the same processor run. Needs: no spin lock held. May switch.
void yield();
// Moves the current thread to a processor that its affinity allows.
void migrate();
// A point in a long kernel operation where interrupts are taken and, where due, another thread runs. No spin lock held.
void preempt_point();
// Sleeps until a monotonic deadline or a signal. Gives kTimedOut when the time has passed.
Wake sleep_until(u64 deadline_ns, Sleep how = Sleep::kInterruptible);
// Makes a sleeping thread runnable; does nothing to one that runs. From interrupts too.
void wake(Thread& thread);
// Makes the thread leave a wait or user mode soon, so that it looks at its signals (an IPI where it runs elsewhere).
void kick(Thread& thread);
unsigned cpu_count();
unsigned current_cpu();

struct Parameters {
  Policy policy;
  u8 rt_priority;
  i8 nice;
  bool reset_on_fork;
};
// Takes effect at once, wherever the thread is. kernel/sched/policy.cpp.
void set_parameters(Thread& thread, const Parameters& wanted);
// Priority inheritance: the thread runs at least at this real-time priority until it is 0 again.
void set_boost(Thread& thread, u8 rt_priority);
void set_affinity(Thread& thread, u64 allowed);
// What a new thread takes from the one that makes it.
void inherit_parameters(Thread& child, const Thread& parent);
// The time slice that sched_rr_get_interval(2) shows.
u64 slice_ns(const Thread& thread);

struct LoadAverage {
  u64 one, five, fifteen;  // fixed point, 11 bits of fraction
};
LoadAverage load_average();
u64 idle_cycles(unsigned cpu);

}  // namespace sched
}  // namespace uni
