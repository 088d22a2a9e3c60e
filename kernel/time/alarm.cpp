// SPDX-License-Identifier: Apache-2.0
// Invariants: next_ and interval_ are under lock_, which is never held while a CPU clock is read (that takes the
// process's lock); the Timer may fire early or late relative to them (a CPU clock, a
// clock that was set, a race with set()), so fired() looks at the clock before it believes.
#include "kernel/time/alarm.hpp"

#include "kernel/sched/process.hpp"
#include "kernel/time/cpu_time.hpp"

namespace uni::time {

namespace {

// CPU clocks are looked at no more often than this, and intervals shorter than the second do not flood the machine with
// interrupts.
constexpr u64 kCpuClockGrain = kMillisecond;
constexpr u64 kShortestGap = 10'000;

constexpr bool is_cpu_clock(AlarmClock clock) {
  return clock >= AlarmClock::kProcessCpu;
}

}  // namespace

u64 now_on(AlarmClock clock, Process* process, const Thread* thread) {
  switch (clock) {
    case AlarmClock::kMonotonic:
      return monotonic_ns();
    case AlarmClock::kRealtime:
      return realtime_ns();
    case AlarmClock::kProcessCpu:
      return cpu_time(*process).total_ns();
    case AlarmClock::kProcessUser:
      return cpu_time(*process).user_ns;
    case AlarmClock::kThreadCpu:
      return cpu_time(*thread).total_ns();
  }
  return 0;
}

void Alarm::arm_locked(u64 at) {
  if (next_ == kNever) return;
  if (clock_ == AlarmClock::kMonotonic) {
    timer_.arm(next_);
    return;
  }
  u64 left = next_ > at ? next_ - at : 0;
  if (is_cpu_clock(clock_)) {
    // Several processors use up the process's time at once.
    if (clock_ != AlarmClock::kThreadCpu) left /= max(1u, min(process_->thread_count, sched::cpu_count()));
    left = max(left, kCpuClockGrain);
  }
  timer_.arm(deadline_after(left));
}

void Alarm::set(u64 next, u64 interval) {
  if (next == kNever) {
    {
      LockGuard guard(lock_);
      next_ = kNever;
      interval_ = 0;
    }
    timer_.cancel();
    return;
  }
  timer_.cancel();
  const u64 at = now();
  LockGuard guard(lock_);
  next_ = next;
  interval_ = interval;
  arm_locked(at);
}

Alarm::Setting Alarm::get() {
  const u64 at = now();
  LockGuard guard(lock_);
  if (next_ == kNever) return {0, interval_};
  return {next_ > at ? next_ - at : 1, interval_};
}

u64 Alarm::take_expired(Rearm rearm) {
  const u64 at = now();
  LockGuard guard(lock_);
  if (next_ == kNever || next_ > at) return 0;
  const Expiry expiry = expire(next_, interval_, at);
  next_ = expiry.next;
  if (rearm == Rearm::kNow && next_ != kNever) {
    if (clock_ == AlarmClock::kMonotonic && next_ - at < kShortestGap)
      timer_.arm(at + kShortestGap);
    else
      arm_locked(at);
  }
  return expiry.count;
}

void Alarm::rearm() {
  const u64 at = now();
  LockGuard guard(lock_);
  arm_locked(at);
}

void Alarm::fired(Timer&, void* self) {
  Alarm& alarm = *static_cast<Alarm*>(self);
  const u64 at = alarm.now();
  {
    LockGuard guard(alarm.lock_);
    if (alarm.next_ == kNever) return;
    if (alarm.next_ > at) {
      alarm.arm_locked(at);
      return;
    }
  }
  alarm.on_expiry_(alarm.context_);
}

}  // namespace uni::time
