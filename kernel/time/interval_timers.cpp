// SPDX-License-Identifier: Apache-2.0
// setitimer(2)'s timers: SIGALRM by the clock on the wall, SIGVTALRM by the program's own processor time, SIGPROF by
// its and the kernel's for it.
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

struct IntervalTimers {
  explicit IntervalTimers(Process& process)
      : timers{{process, AlarmClock::kMonotonic, signal::kAlrm},
               {process, AlarmClock::kProcessUser, signal::kVtAlrm},
               {process, AlarmClock::kProcessCpu, signal::kProf}} {}
  IntervalTimer timers[kIntervalKinds];
};

IntervalTimers* timers_of(Process& process) {
  return static_cast<IntervalTimers*>(process.interval_timers);
}

}  // namespace

Result<Alarm::Setting> interval_set(Process& process, IntervalKind kind, Alarm::Setting setting) {
  if (process.interval_timers == nullptr) {
    if (setting.value == 0) return Alarm::Setting{};
    OwnPtr<IntervalTimers> fresh = TRY(make_own<IntervalTimers>(process));
    LockGuard guard(process.lock);
    if (process.interval_timers == nullptr) process.interval_timers = fresh.release();
  }
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
  process.interval_timers = nullptr;
  delete timers;
}

}  // namespace uni::time
