// SPDX-License-Identifier: Apache-2.0
// One-shot timers on monotonic time. The callback runs from the timer interrupt on the processor that armed it: it may
// take spin locks and wake threads; it must not block.
#pragma once

#include "kernel/base/types.hpp"
#include "kernel/time/clock.hpp"

namespace uni::time {

class Timer {
 public:
  using Callback = void (*)(Timer&, void* context);
  Timer(Callback callback, void* context) : callback_(callback), context_(context) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Arms, or moves, to a monotonic deadline in ns; one in the past fires at the next chance. kNever disarms.
  void arm(u64 deadline_ns);
  // Disarms; on return the callback neither runs nor will run. Must not be called with a lock held that the callback
  // takes. Safe from within the callback. Gives whether it was armed.
  bool cancel();
  u64 deadline() const { return deadline_; }
  bool armed() const { return heap_index_ != 0; }

 private:
  friend class TimerQueue;
  Callback callback_;
  void* context_;
  u64 deadline_ = kNever;
  u32 heap_index_ = 0;  // 1-based; 0 when not armed
  u32 cpu_ = 0;
};

}  // namespace uni::time
