// SPDX-License-Identifier: Apache-2.0
// The runnable threads of one processor. A thread that is woken is queued where it last ran, which suits hand-overs
// (pipes, futexes): the waker is about to sleep. If it waits longer than kStealDelay while another processor idles,
// that one is told to take it.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/timer.hpp"

namespace uni::sched {

inline constexpr u64 kSliceNs = 4 * time::kMillisecond;
inline constexpr u64 kStealDelayNs = 60'000;

struct RunQueue {
  SpinLock lock{Rank::kRunQueue};
  List<Thread, &Thread::run_node> runnable;
  std::atomic<u32> length{0};
  u64 oldest_ns = 0;  // when the queue last became non-empty
  time::Timer slice{nullptr, nullptr};
};

// Sets up this processor's queue and turns the running code into its idle thread. Errors: NoMemory.
Result<void> init_cpu(unsigned cpu);
// Runs threads, halts when there are none. Never returns.
[[noreturn]] void idle_loop();
// Leaves the current thread (whose state says why) and runs another. No spin lock held.
void schedule();
// Makes a new thread runnable for the first time.
void enqueue_new(Thread& thread);
// Marks the current thread as about to sleep; a wake-up from here on cancels the sleep.
void prepare_sleep();
void cancel_sleep();

}  // namespace uni::sched
