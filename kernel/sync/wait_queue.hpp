// SPDX-License-Identifier: Apache-2.0
// Where threads, epoll items and other observers wait for something to change.
//  - A wait checks its condition after it is queued, so a wake-up between check and sleep is not lost.
//  - The condition runs with the thread marked as sleeping: it may take spin locks, but must not block (no Mutex, no
//  page fault).
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/clock.hpp"

namespace uni {

class Thread;
class WaitQueue;

enum class Wake : u8 { kReady, kTimedOut, kSignal };
enum class Sleep : u8 { kInterruptible, kUninterruptible, kKillable };

// One observer on one queue. `on_wake` runs under the queue's lock on whatever processor wakes: it must be short, may
// take only locks of rank above kWaitQueue, and gives whether it consumed an exclusive wake-up.
class Waiter {
 public:
  using OnWake = bool (*)(Waiter&, u32 events);
  explicit Waiter(OnWake on_wake) : on_wake_(on_wake) {}
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  ListNode node;
  WaitQueue* queue = nullptr;
  u32 interest = ~0u;      // woken only by events that share a bit with it
  bool exclusive = false;  // wake_one stops after one exclusive waiter

 private:
  friend class WaitQueue;
  OnWake on_wake_;
};

// A Waiter that makes one thread runnable.
class ThreadWaiter : public Waiter {
 public:
  explicit ThreadWaiter(Thread& waiting);
  Thread& thread;
};

class WaitQueue {
 public:
  explicit constexpr WaitQueue(Rank rank = Rank::kWaitQueue) : lock_(rank) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  void add(Waiter& waiter);
  void remove(Waiter& waiter);  // does nothing where it is not queued
  bool has_waiters() const { return !waiters_.empty(); }

  // Wakes all, or all non-exclusive and one exclusive waiter, whose interest meets `events` (poll bits, or ~0).
  // May be called from interrupts and with locks of rank below kWaitQueue held.
  void wake_all(u32 events = ~0u);
  void wake_one(u32 events = ~0u);

  // Blocks until ready() gives true, the deadline (monotonic ns) passes, or a signal is pending. ready() is tried
  // first, without sleeping. Needs: no spin lock held.
  template <typename Ready>
  Wake wait(Ready ready, u64 deadline = time::kNever, Sleep how = Sleep::kInterruptible, bool exclusive = false) {
    if (ready()) return Wake::kReady;
    return wait_slow([](void* r) { return static_cast<bool>((*static_cast<Ready*>(r))()); }, &ready, deadline, how,
                     exclusive);
  }

 private:
  Wake wait_slow(bool (*ready)(void*), void* context, u64 deadline, Sleep how, bool exclusive);
  void wake(u32 events, bool one);
  SpinLock lock_;
  List<Waiter, &Waiter::node> waiters_;
};

}  // namespace uni
