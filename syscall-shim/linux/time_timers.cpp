// SPDX-License-Identifier: Apache-2.0
// setitimer(2), alarm(2), timer_create(2) and its family.
#include "kernel/sched/process.hpp"
#include "kernel/time/posix_timers.hpp"
#include "syscall-shim/linux/time.hpp"
#include "syscall-shim/linux/time_clocks.hpp"

namespace uni::shim {

namespace {

using time::Alarm;
using time::IntervalKind;

Result<IntervalKind> interval_kind(i32 which) {
  switch (which) {
    case abi::kItimerReal:
      return IntervalKind{IntervalKind::kReal};
    case abi::kItimerVirtual:
      return IntervalKind{IntervalKind::kVirtual};
    case abi::kItimerProf:
      return IntervalKind{IntervalKind::kProfile};
    default:
      return Errno::Invalid;
  }
}

abi::Itimerval to_itimerval(const Alarm::Setting& s) {
  // A running timer never shows 0, which would mean that it does not run.
  const u64 value = s.value != 0 ? max<u64>(s.value, 1000) : 0;
  return {to_timeval(s.interval), to_timeval(value)};
}

abi::Itimerspec to_itimerspec(const Alarm::Setting& s) {
  return {to_timespec(s.interval), to_timespec(s.value)};
}

struct TimerKind {
  time::AlarmClock clock;
  RefPtr<Thread> cpu_thread;
};
Result<TimerKind> timer_kind(i32 clock) {
  switch (clock) {
    case abi::kClockMonotonic:
    case abi::kClockBoottime:
    case abi::kClockBoottimeAlarm:
      return TimerKind{time::AlarmClock::kMonotonic, {}};
    case abi::kClockRealtime:
    case abi::kClockRealtimeAlarm:
    case abi::kClockTai:
      return TimerKind{time::AlarmClock::kRealtime, {}};
    case abi::kClockMonotonicRaw:
    case abi::kClockRealtimeCoarse:
    case abi::kClockMonotonicCoarse:
      return Errno::NotSupported;
    default: {
      CpuClock cpu = TRY(decode_cpu_clock(clock));
      if (cpu.per_thread) return TimerKind{time::AlarmClock::kThreadCpu, move(cpu.thread)};
      const auto kind = cpu.user_only ? time::AlarmClock::kProcessUser : time::AlarmClock::kProcessCpu;
      return TimerKind{kind, {}};
    }
  }
}

}  // namespace

// getitimer(2).
Result<i64> sys_getitimer(i32 which, UserPtr<abi::Itimerval> out) {
  const IntervalKind kind = TRY(interval_kind(which));
  TRY(out.write(to_itimerval(time::interval_get(Process::current(), kind))));
  return 0;
}

// setitimer(2). As on Linux a null value disarms.
Result<i64> sys_setitimer(i32 which, UserPtr<abi::Itimerval> value, UserPtr<abi::Itimerval> old) {
  abi::Itimerval wanted{};
  if (value) wanted = TRY(value.read());
  const Alarm::Setting setting {
    TRY(duration_ns(wanted.it_value))
    , TRY(duration_ns(wanted.it_interval))
  };
  const IntervalKind kind = TRY(interval_kind(which));
  const Alarm::Setting before = TRY(time::interval_set(Process::current(), kind, setting));
  if (old) TRY(old.write(to_itimerval(before)));
  return 0;
}

// alarm(2): the seconds that were left, rounded, but never 0 for a running timer.
Result<i64> sys_alarm(u32 seconds) {
  const Alarm::Setting before =
      TRY(time::interval_set(Process::current(), IntervalKind::kReal, {u64{seconds} * time::kSecond, 0}));
  if (before.value == 0) return 0;
  return static_cast<i64>(max<u64>(1, (before.value + time::kSecond / 2) / time::kSecond));
}

// timer_create(2). Differs: a timer on CLOCK_REALTIME does not follow a clock that is set while it runs.
Result<i64> sys_timer_create(i32 clock, UserPtr<abi::Sigevent> event, UserPtr<i32> id) {
  time::TimerSignal target;
  target.number = signal::kAlrm;
  target.value_is_id = true;
  if (event) {
    const abi::Sigevent wanted = TRY(event.read());
    target.value_is_id = false;
    target.value = wanted.sigev_value;
    target.number = wanted.sigev_signo;
    switch (wanted.sigev_notify) {
      case abi::kNotifyThreadId | abi::kNotifySignal:
        target.thread = Process::find_thread(Tid{static_cast<u32>(wanted.sigev_thread_id)});
        if (!target.thread || &target.thread->process() != &Process::current()) return Errno::Invalid;
        [[fallthrough]];
      case abi::kNotifySignal:
      case abi::kNotifyThread:
        if (target.number < 1 || target.number > signal::kCount) return Errno::Invalid;
        break;
      case abi::kNotifyNone:
        target.number = 0;
        break;
      default:
        return Errno::Invalid;
    }
  }
  TimerKind kind = TRY(timer_kind(clock));
  Process& process = Process::current();
  const i32 number = TRY(time::timer_create(process, kind.clock, move(kind.cpu_thread), move(target)));
  const Result<void> written = id.write(number);
  if (!written.ok()) {
    (void)time::timer_delete(process, number).ok();  // it exists: just made
    return written.error();
  }
  return 0;
}

// timer_settime(2).
Result<i64> sys_timer_settime(i32 id, i32 flags, UserPtr<abi::Itimerspec> value, UserPtr<abi::Itimerspec> old) {
  if (!value) return Errno::Invalid;
  const abi::Itimerspec wanted = TRY(value.read());
  const Alarm::Setting setting {
    TRY(duration_ns(wanted.it_value))
    , TRY(duration_ns(wanted.it_interval))
  };
  const auto start = (flags & abi::kTimerAbsolute) != 0 ? time::TimerStart::kAbsolute : time::TimerStart::kRelative;
  const Alarm::Setting before = TRY(time::timer_set(Process::current(), id, start, setting));
  if (old) TRY(old.write(to_itimerspec(before)));
  return 0;
}

// timer_gettime(2).
Result<i64> sys_timer_gettime(i32 id, UserPtr<abi::Itimerspec> out) {
  const Alarm::Setting now = TRY(time::timer_get(Process::current(), id));
  TRY(out.write(to_itimerspec(now)));
  return 0;
}

// timer_getoverrun(2).
Result<i64> sys_timer_getoverrun(i32 id) {
  return i64 {
    TRY(time::timer_overrun(Process::current(), id))
  };
}

// timer_delete(2).
Result<i64> sys_timer_delete(i32 id) {
  TRY(time::timer_delete(Process::current(), id));
  return 0;
}

}  // namespace uni::shim
