// SPDX-License-Identifier: Apache-2.0
// A timer on any clock with an optional interval: what timerfd, setitimer and POSIX timers share. A CPU-time clock does
// not drive a hardware timer; there the alarm looks again when the time could have been used up at the earliest.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/timer.hpp"

namespace uni {
class Process;
class Thread;
}  // namespace uni

namespace uni::time {

enum class AlarmClock : u8 { kMonotonic, kRealtime, kProcessCpu, kProcessUser, kThreadCpu };

// Nanoseconds on `clock`; the CPU clocks of `process` or `thread`, which may be null for the others.
u64 now_on(AlarmClock clock, Process* process, const Thread* thread);

// How many times an alarm due at `next` has expired at `now` (at least once), and when it is due again. An interval of
// 0 expires once: next becomes kNever.
struct Expiry {
  u64 count;
  u64 next;
};
constexpr Expiry expire(u64 next, u64 interval, u64 now) {
  if (interval == 0) return {1, kNever};
  const u64 extra = now > next ? (now - next) / interval : 0;
  u64 step = 0;
  u64 after = 0;
  if (__builtin_mul_overflow(extra + 1, interval, &step) || __builtin_add_overflow(next, step, &after)) after = kNever;
  return {extra + 1, after};
}

class Alarm {
 public:
  // on_expiry(context) runs from the timer interrupt, without locks, when the alarm is due. It calls take_expired().
  using OnExpiry = void (*)(void* context);
  // `process` and `thread` are borrowed and matter for CPU clocks only.
  Alarm(AlarmClock clock, OnExpiry on_expiry, void* context, Process* process = nullptr, Thread* thread = nullptr)
      : timer_(fired, this),
        clock_(clock),
        on_expiry_(on_expiry),
        context_(context),
        process_(process),
        thread_(thread) {}

  struct Setting {
    u64 value = 0;  // remaining ns, 0 when disarmed
    u64 interval = 0;
  };
  // Arms at `at` on the clock (kNever disarms). Not from the callback.
  void set(u64 at, u64 interval);
  // What remains; an alarm that is due but not yet taken has 1 ns left.
  Setting get();
  // Takes what has expired by now and moves on; 0 where nothing is due. The hardware timer is armed again with the next
  // time, or, with Rearm::kLater, only by rearm().
  enum class Rearm : u8 { kNow, kLater };
  u64 take_expired(Rearm rearm);
  void rearm();
  // On return the callback neither runs nor will run.
  void cancel() { set(kNever, 0); }
  u64 now() const { return now_on(clock_, process_, thread_); }
  AlarmClock clock() const { return clock_; }

 private:
  static void fired(Timer& timer, void* self);
  void arm_locked(u64 at);
  SpinLock lock_{Rank::kPipe};
  Timer timer_;
  AlarmClock clock_;
  OnExpiry on_expiry_;
  void* context_;
  Process* process_;
  Thread* thread_;
  u64 next_ = kNever;
  u64 interval_ = 0;
};

}  // namespace uni::time
