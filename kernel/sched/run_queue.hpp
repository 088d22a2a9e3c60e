// SPDX-License-Identifier: Apache-2.0
// The runnable threads of one processor. Real-time threads come first, by priority. The others share it by virtual
// time, which passes at a pace that the nice value sets: who has the least runs next. Waiting threads lie in buckets of
// about a millisecond of virtual time, first come first served within one, so that queueing and picking cost the same
// whatever waits, and threads that hand over to each other (pipes, futexes) take turns as in a plain FIFO.
//  - A thread that slept comes back a little before those that computed meanwhile, and so preempts them.
//  - A thread that is woken is queued where it last ran, which suits hand-overs: the waker is about to sleep. If it
//  waits longer than kStealDelay while another processor idles, that one is told to take it.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/timer.hpp"

namespace uni::sched {

// All in cycles of the counter, so that the hot paths need no conversion.
struct Spans {
  u64 slice, short_slice;  // of fair threads; the short one of those that weigh little
  u64 round_robin;
  u64 credit;     // what a sleeper is let before the others at most
  u64 margin;     // how far before the running thread it must be to preempt it
  u64 hand_over;  // a thread that wakes another is likely to sleep soon: it is given this long
  u64 steal_delay;
  // Of each period real-time threads get this much while others wait (sched_rt_runtime_us).
  u64 real_time_period, real_time_budget;
};
extern Spans spans;
inline constexpr u64 kSliceNs = 4 * time::kMillisecond;
inline constexpr u64 kTickNs = 4 * time::kMillisecond;
inline constexpr u64 kRoundRobinNs = 100 * time::kMillisecond;

enum class Place : u8 { kFirst, kLast };  // among its equals

class ReadyQueue {
 public:
  using Threads = List<Thread, &Thread::run_node>;
  void insert(Thread& thread, Place place) {
    if (count_++ == 0 && thread.priority == 0)
      only_ = &thread;
    else
      insert_slow(thread, place);
  }
  void remove(Thread& thread) {
    --count_;
    if (only_ == &thread)
      only_ = nullptr;
    else
      remove_slow(thread);
  }
  // The threads in the order they should run: the first that `accepts` takes, or null. `real_time` false: not those of
  // real-time priority.
  template <typename Accepts>
  Thread* find(Accepts accepts, bool real_time) {
    if (only_ != nullptr) return accepts(*only_) ? only_ : nullptr;
    return find_slow(accepts, real_time);
  }
  bool has_real_time() const { return !real_time_.empty(); }
  // The virtual time (cycles) that the waiting threads have reached. Read by other processors without the lock.
  u64 base() const { return base_.load(std::memory_order_relaxed); }
  void advance(u64 to) {
    if (static_cast<i64>(to - base()) > 0) base_.store(to, std::memory_order_relaxed);
  }

 private:
  template <typename Accepts>
  [[gnu::noinline]] Thread* find_slow(Accepts accepts, bool real_time) {
    if (real_time) {
      for (Thread& t : real_time_)
        if (accepts(t)) return &t;
    }
    const u32 start = first_bucket();
    for (u32 n = next_used(0, start); n < kBuckets; n = next_used(n + 1, start)) {
      for (Thread& t : buckets_[(start + n) % kBuckets])
        if (accepts(t)) return &t;
    }
    return nullptr;
  }
  void insert_slow(Thread& thread, Place place);
  void remove_slow(Thread& thread);
  static constexpr u32 kBuckets = 128, kBehind = 8;
  static constexpr unsigned kShift = 21;
  u32 first_bucket() const { return static_cast<u32>((base() >> kShift) - kBehind) % kBuckets; }
  // The distance from `start` of the first used bucket at distance `from` or more; kBuckets: none.
  u32 next_used(u32 from, u32 start) const {
    while (from < kBuckets) {
      const u32 at = (start + from) % kBuckets;
      const u64 rest = used_[at / 64] >> (at % 64);
      if (rest != 0) return min(from + static_cast<u32>(__builtin_ctzll(rest)), kBuckets);
      from += 64 - at % 64;
    }
    return kBuckets;
  }
  std::atomic<u64> base_{u64{1} << 40};
  u32 count_ = 0;
  Thread* only_ = nullptr;  // the one waiting thread, where it is a fair one: in no bucket, as most hand-overs find it
  u64 used_[2] = {};
  Threads real_time_;
  Threads buckets_[kBuckets];
};

struct RunQueue {
  SpinLock lock{Rank::kRunQueue};
  ReadyQueue ready;
  std::atomic<u32> length{0};  // waiting threads
  // What runs: its priority (-1: idle), and its virtual time with the counter's value at which it was right.
  std::atomic<int> running_priority{-1};
  std::atomic<u64> running_time{0}, running_since{0};
  std::atomic<u32> running_pace{0};
  u64 real_time_used = 0, real_time_begin = 0;  // of the current period
  time::Timer slice{nullptr, nullptr};
  u64 slice_due = 0;                   // when it fires, in cycles
  time::Timer tick{nullptr, nullptr};  // tells apart the program's time and the kernel's
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

// Between the scheduler's files.
// Puts a thread that is on no queue on one that it may run on, and sees that its turn comes.
void place(Thread& thread);
// Makes the processor choose anew soon.
void poke(unsigned cpu);
RunQueue& queue_of(unsigned cpu);
inline bool may_run(const Thread& thread, unsigned cpu) {
  return ((thread.affinity >> cpu) & 1) != 0;
}
// Brings the load averages up to date, before the number of runnable threads changes for long.
void sample_load(u64 now_cycles);

}  // namespace uni::sched
