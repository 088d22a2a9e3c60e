// SPDX-License-Identifier: Apache-2.0
// A lock-free stack of what is due, and the thread that empties it. The caller's `work_due` is set too, so that what a
// program starts itself is done before its call returns.
#include "kernel/sched/deferred.hpp"

#include "kernel/sched/thread.hpp"

namespace uni::sched {

namespace {

std::atomic<Deferred*> due_head{nullptr};
std::atomic<bool> helper_made{false};
constinit WaitQueue helper_queue{Rank::kWaitQueueInner};

void help(void*) {
  for (;;) {
    (void)helper_queue.wait([] { return due_head.load(std::memory_order_seq_cst) != nullptr; }, time::kNever,
                            Sleep::kUninterruptible);
    run_deferred_work();
  }
}

}  // namespace

Result<void> prepare_deferred_work() {
  if (helper_made.exchange(true)) return {};
  Result<RefPtr<Thread>> helper = Thread::create_kernel("deferred", help, nullptr);
  if (!helper.ok()) {
    helper_made.store(false);
    return helper.error();
  }
  helper.value()->start();
  return {};
}

void defer(Deferred& work) {
  if (work.queued_.exchange(true, std::memory_order_seq_cst)) return;
  Deferred* head = due_head.load(std::memory_order_relaxed);
  do {
    work.next_ = head;
  } while (!due_head.compare_exchange_weak(head, &work, std::memory_order_seq_cst));
  Thread& current = Thread::current();
  if (!current.is_kernel()) current.work_due.store(true, std::memory_order_relaxed);
  helper_queue.wake_all();
}

void notice_deferred_work() {
  if (due_head.load(std::memory_order_relaxed) == nullptr) return;
  Thread& current = Thread::current();
  if (!current.is_kernel()) current.work_due.store(true, std::memory_order_relaxed);
}

void run_deferred_work() {
  if (due_head.load(std::memory_order_relaxed) == nullptr) return;
  Deferred* newest = due_head.exchange(nullptr, std::memory_order_seq_cst);
  Deferred* oldest = nullptr;
  while (newest != nullptr) {
    Deferred* next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Deferred* next = oldest->next_;
    oldest->queued_.store(false, std::memory_order_seq_cst);
    oldest->run_deferred();
    oldest = next;
  }
}

}  // namespace uni::sched
