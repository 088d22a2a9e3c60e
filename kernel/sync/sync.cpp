// SPDX-License-Identifier: Apache-2.0
// The slow paths of spin locks, wait queues and mutexes.
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/sched/deferred.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni {

void SpinLock::lock_slow() {
  do {
    while (locked_.load(std::memory_order_relaxed))
      arch::cpu_relax();
  } while (locked_.exchange(true, std::memory_order_acquire));
}

#ifdef UNI_DEBUG_LOCKS
// A lock may be taken while locks of the same or a lower rank are held. Locks are released in any order.
void SpinLock::note_locked() {
  arch::Cpu& cpu = arch::this_cpu();
  const auto mine = static_cast<u8>(rank_);
  for (u32 i = 0; i < cpu.held_count; ++i) {
    if (cpu.held_ranks[i] > mine) PANIC("a lock was taken against the order of the ranks");
  }
  note_held();
}

void SpinLock::note_held() {
  arch::Cpu& cpu = arch::this_cpu();
  if (cpu.held_count < sizeof cpu.held_ranks) cpu.held_ranks[cpu.held_count] = static_cast<u8>(rank_);
  ++cpu.held_count;
}

void SpinLock::note_unlocked() {
  arch::Cpu& cpu = arch::this_cpu();
  const auto mine = static_cast<u8>(rank_);
  for (u32 i = cpu.held_count; i > 0; --i) {
    if (cpu.held_ranks[i - 1] != mine) continue;
    for (u32 j = i; j < cpu.held_count; ++j)
      cpu.held_ranks[j - 1] = cpu.held_ranks[j];
    --cpu.held_count;
    return;
  }
  PANIC("a lock was released that was not held");
}
#endif

Waiter::~Waiter() {
  if (queue != nullptr) queue->remove(*this);
}

ThreadWaiter::ThreadWaiter(Thread& waiting)
    : Waiter([](Waiter& w, u32) {
        sched::wake(static_cast<ThreadWaiter&>(w).thread);
        return true;
      }),
      thread(waiting) {}

void WaitQueue::add(Waiter& waiter) {
  LockGuard guard(lock_);
  waiter.queue = this;
  if (waiter.exclusive)
    waiters_.push_back(waiter);
  else
    waiters_.push_front(waiter);
}

void WaitQueue::remove(Waiter& waiter) {
  LockGuard guard(lock_);
  if (waiter.node.linked()) List<Waiter, &Waiter::node>::remove(waiter);
  waiter.queue = nullptr;
}

void WaitQueue::wake(u32 events, bool one) {
  LockGuard guard(lock_);
  for (Waiter& w : waiters_) {
    if ((w.interest & events) == 0) continue;
    const bool exclusive = w.exclusive;
    if (w.on_wake_(w, events) && exclusive && one) return;
  }
}

void WaitQueue::wake_all(u32 events) {
  if (has_waiters()) wake(events, false);
}

void WaitQueue::wake_one(u32 events) {
  if (has_waiters()) wake(events, true);
}

Wake WaitQueue::wait_slow(bool (*ready)(void*), void* context, u64 deadline, Sleep how, bool exclusive) {
  Thread& self = Thread::current();
  ThreadWaiter waiter(self);
  waiter.exclusive = exclusive;
  add(waiter);
  time::Timer timer([](time::Timer&, void* t) { sched::wake(*static_cast<Thread*>(t)); }, &self);
  Wake result = Wake::kReady;
  while (true) {
    sched::prepare_sleep();
    if (ready(context)) break;
    if ((how == Sleep::kInterruptible && !self.is_kernel() && signal::pending(self)) ||
        (how == Sleep::kKillable && !self.is_kernel() && signal::fatal_pending(self))) {
      result = Wake::kSignal;
      break;
    }
    if (deadline != time::kNever) {
      if (time::monotonic_ns() >= deadline) {
        result = Wake::kTimedOut;
        break;
      }
      if (!timer.armed()) timer.arm(deadline);
    }
    sched::schedule();
  }
  sched::cancel_sleep();
  remove(waiter);
  // A wake-up meant for one waiter must not be lost with one that leaves for another reason.
  if (exclusive && result != Wake::kReady) wake_one();
  sched::notice_deferred_work();
  return result;
}

void Mutex::lock_slow() {
  contended_.fetch_add(1, std::memory_order_seq_cst);
  (void)waiters_.wait(
      [this] {
        bool expected = false;
        return locked_.compare_exchange_strong(expected, true, std::memory_order_seq_cst);
      },
      time::kNever, Sleep::kUninterruptible, true);
  contended_.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace uni
