// SPDX-License-Identifier: Apache-2.0
// nanosleep(2), clock_nanosleep(2).
#include "kernel/sched/process.hpp"
#include "kernel/time/cpu_time.hpp"
#include "syscall-shim/linux/time.hpp"
#include "syscall-shim/linux/time_clocks.hpp"

namespace uni::shim {

namespace {

constexpr u64 kCpuClockGrain = time::kMillisecond;

// Sleeps until a monotonic deadline. On a signal the remaining time is written, and the call goes on with the same
// deadline where no handler runs (restart_syscall(2)).
Result<i64> sleep_relative(Thread& thread, u64 deadline, UserPtr<abi::Timespec> remaining);

Result<i64> restart_sleep(Thread& thread) {
  return sleep_relative(thread, thread.restart_args[0], UserPtr<abi::Timespec>(thread.restart_args[1]));
}

Result<i64> sleep_relative(Thread& thread, u64 deadline, UserPtr<abi::Timespec> remaining) {
  if (sched::sleep_until(deadline) != Wake::kSignal) return 0;
  if (remaining) {
    const u64 now = time::monotonic_ns();
    TRY(remaining.write(to_timespec(deadline > now ? deadline - now : 0)));
  }
  thread.restart = restart_sleep;
  thread.restart_args[0] = deadline;
  thread.restart_args[1] = raw(remaining.address());
  return Errno::RestartBlock;
}

// A sleep on a process's CPU-time clock: the others' progress has to be looked at. Errors: RestartNoHand.
Result<i64> sleep_on_cpu_clock(const CpuClock& clock, u64 until) {
  for (;;) {
    const u64 now = time::cpu_time(clock.thread->process()).total_ns();
    if (now >= until) return 0;
    if (sched::sleep_until(time::deadline_after(max((until - now) / sched::cpu_count(), kCpuClockGrain))) ==
        Wake::kSignal)
      return Errno::RestartNoHand;
  }
}

}  // namespace

// nanosleep(2).
Result<i64> sys_nanosleep(UserPtr<abi::Timespec> duration, UserPtr<abi::Timespec> remaining) {
  const u64 ns = TRY(read_duration(duration));
  if (ns == 0) return 0;
  return sleep_relative(Thread::current(), time::deadline_after(ns), remaining);
}

// clock_nanosleep(2).
Result<i64> sys_clock_nanosleep(i32 clock, i32 flags, UserPtr<abi::Timespec> duration,
                                UserPtr<abi::Timespec> remaining) {
  const bool absolute = (flags & abi::kTimerAbsolute) != 0;
  switch (clock) {
    case abi::kClockRealtime:
    case abi::kClockMonotonic:
    case abi::kClockBoottime:
    case abi::kClockTai:
    case abi::kClockRealtimeAlarm:
    case abi::kClockBoottimeAlarm:
      break;
    case abi::kClockMonotonicRaw:
    case abi::kClockRealtimeCoarse:
    case abi::kClockMonotonicCoarse:
      return Errno::NotSupported;
    default: {
      // One's own CPU time does not pass while one sleeps (clock_nanosleep(2)).
      if (clock == abi::kClockThreadCpu) return Errno::NotSupported;
      const CpuClock cpu = TRY(decode_cpu_clock(clock));
      const u64 ns = TRY(read_duration(duration));
      if (cpu.per_thread) return Errno::Invalid;
      return sleep_on_cpu_clock(cpu, absolute ? ns : time::cpu_time(cpu.thread->process()).total_ns() + ns);
    }
  }
  const u64 ns = TRY(read_duration(duration));
  if (!absolute) {
    if (ns == 0) return 0;
    return sleep_relative(Thread::current(), time::deadline_after(ns), remaining);
  }
  // An absolute sleep is simply made again, and the realtime clock may have been set meanwhile.
  for (;;) {
    const u64 deadline = absolute_deadline(clock, ns);
    if (deadline <= time::monotonic_ns()) return 0;
    if (sched::sleep_until(deadline) == Wake::kSignal) return Errno::RestartNoHand;
  }
}

}  // namespace uni::shim
