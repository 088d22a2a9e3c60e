// SPDX-License-Identifier: Apache-2.0
// setitimer(2)'s timers: SIGALRM by the clock on the wall, SIGVTALRM by the program's own processor time, SIGPROF by
// its and the kernel's for it. And RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard.
#include "kernel/sched/process.hpp"
#include "kernel/time/posix_timers.hpp"

namespace uni::time {

namespace {

struct IntervalTimer {
  IntervalTimer(Process& owner, AlarmClock clock, int signal_number)
      : process(owner), number(signal_number), alarm(clock, expired, this, &owner) {}

  static void expired(void* self) {
    IntervalTimer& timer = *static_cast<IntervalTimer*>(self);
    if (timer.alarm.take_expired(Alarm::Rearm::kNow) == 0) return;
    signal::Info info;
    info.number = timer.number;
    info.code = 0x80;  // SI_KERNEL
    (void)signal::send(timer.process, info).ok();
  }

  Process& process;
  int number;
  Alarm alarm;
};

struct CpuLimit {
  explicit CpuLimit(Process& owner) : process(owner), alarm(AlarmClock::kProcessCpu, reached, this, &owner) {}

  static void reached(void* self) {
    CpuLimit& limit = *static_cast<CpuLimit*>(self);
    if (limit.alarm.take_expired(Alarm::Rearm::kNow) == 0) return;
    const u64 used = limit.alarm.now() / kSecond;
    signal::Info info;
    info.code = 0x80;  // SI_KERNEL
    {
      LockGuard guard(limit.process.lock);
      Limit& set = limit.process.limits[kLimitCpu];
      if (used < set.soft) return;
      info.number = used >= set.hard ? signal::kKill : signal::kXcpu;
      ++set.soft;
    }
    (void)signal::send(limit.process, info).ok();
  }

  Process& process;
  Alarm alarm;
};

struct IntervalTimers {
  explicit IntervalTimers(Process& process)
      : timers{{process, AlarmClock::kMonotonic, signal::kAlrm},
               {process, AlarmClock::kProcessUser, signal::kVtAlrm},
               {process, AlarmClock::kProcessCpu, signal::kProf}},
        cpu_limit(process) {}
  IntervalTimer timers[kIntervalKinds];
  CpuLimit cpu_limit;
};

IntervalTimers* timers_of(Process& process) {
  return static_cast<IntervalTimers*>(process.interval_timers);
}

Result<void> ensure_timers(Process& process) {
  if (process.interval_timers != nullptr) return {};
  OwnPtr<IntervalTimers> fresh = TRY(make_own<IntervalTimers>(process));
  LockGuard guard(process.lock);
  if (process.interval_timers == nullptr) process.interval_timers = fresh.release();
  return {};
}

}  // namespace

Result<void> watch_cpu_limit(Process& process) {
  const u64 soft = process.limits[kLimitCpu].soft;
  if (soft == kUnlimited && process.interval_timers == nullptr) return {};
  TRY(ensure_timers(process));
  constexpr u64 kMostSeconds = kNever / kSecond - 1;
  Alarm& alarm = timers_of(process)->cpu_limit.alarm;
  alarm.set(soft >= kMostSeconds ? kNever : max<u64>(soft, 1) * kSecond, kSecond);
  return {};
}

Result<Alarm::Setting> interval_set(Process& process, IntervalKind kind, Alarm::Setting setting) {
  if (process.interval_timers == nullptr && setting.value == 0) return Alarm::Setting{};
  TRY(ensure_timers(process));
  Alarm& alarm = timers_of(process)->timers[static_cast<usize>(kind)].alarm;
  const Alarm::Setting old = alarm.get();
  u64 at = kNever;
  if (setting.value != 0 && __builtin_add_overflow(alarm.now(), setting.value, &at)) at = kNever - 1;
  alarm.set(at, setting.value != 0 ? setting.interval : 0);
  return old;
}

Alarm::Setting interval_get(Process& process, IntervalKind kind) {
  if (process.interval_timers == nullptr) return {};
  return timers_of(process)->timers[static_cast<usize>(kind)].alarm.get();
}

void release_timers(Process& process) {
  release_posix_timers(process);
  IntervalTimers* timers = timers_of(process);
  if (timers == nullptr) return;
  for (IntervalTimer& timer : timers->timers)
    timer.alarm.cancel();
  timers->cpu_limit.alarm.cancel();
  process.interval_timers = nullptr;
  delete timers;
}

}  // namespace uni::time
