// SPDX-License-Identifier: Apache-2.0
// One processor's armed timers: a binary heap by deadline over the local timer interrupt.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/timer.hpp"

namespace uni::time {

class TimerQueue {
 public:
  void arm(Timer& timer, u64 deadline_ns, u32 cpu);
  bool cancel(Timer& timer);
  // Takes it out of the queue, but does not wait for a callback that runs.
  void disarm(Timer& timer);
  void run_expired();

 private:
  void program();
  void swap_at(usize a, usize b);
  void sift_up(usize i);
  void sift_down(usize i);
  void remove_locked(Timer& timer);
  SpinLock lock_{Rank::kTimer};
  Vector<Timer*> heap_;
  Timer* running_ = nullptr;
  u64 programmed_ = kNever;
};

// Calibrates the clocks; boot processor, before the first timer.
void init_clock(u64 realtime_hint_ns);
void init_cpu_timers(unsigned cpu);
// From the timer interrupt.
void run_expired_timers();
// A monotonic time as a TSC value.
u64 tsc_at(u64 monotonic);
// (tsc - base) * mult >> 32 = monotonic ns: for the vDSO.
struct ClockScale {
  u64 base_tsc;
  u64 mult;
};
ClockScale clock_scale();

}  // namespace uni::time
