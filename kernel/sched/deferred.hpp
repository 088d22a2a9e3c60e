// SPDX-License-Identifier: Apache-2.0
// Work that a wake-up starts but cannot do itself, because it comes under locks and perhaps in an interrupt. It is done
// by the thread that caused it, on its way to user mode, or by a thread of the kernel, whichever comes first.
#pragma once

#include <atomic>

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni::sched {

class Deferred {
 public:
  // Does the work. No lock is held; the thread may be any one.
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;

 private:
  friend void defer(Deferred& work);
  friend void run_deferred_work();
  std::atomic<bool> queued_{false};
  Deferred* next_ = nullptr;
};

// Makes the thread that does what nobody else does; once. Errors: NoMemory.
Result<void> prepare_deferred_work();
// Has `work` run soon, once for any number of calls before it starts. Needs: prepare_deferred_work(), locks of rank
// kWaitQueue or less; the object lives until it has run.
void defer(Deferred& work);
// The calling thread's wait is over. Where something is due, it is done before the thread is back in user mode: what
// made its file ready may have deferred the signal for it, which Linux sends first.
void notice_deferred_work();
// Runs all that is due. Lock-free where nothing is.
void run_deferred_work();

}  // namespace uni::sched
