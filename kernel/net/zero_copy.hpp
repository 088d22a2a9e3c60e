// SPDX-License-Identifier: Apache-2.0
// MSG_ZEROCOPY's reports (Linux: Documentation/networking/msg_zerocopy.rst). Each send gets the next number, and the
// error queue tells the numbers whose memory the program may use again. Our sends copy, so a number is told at once, as
// Linux tells it where it had to copy; numbers that wait to be read are always one range.
#pragma once

#include <atomic>

#include "kernel/base/types.hpp"

namespace uni::net {

class ZeroCopyReports {
 public:
  void allow(bool on) { allowed_.store(on, std::memory_order_relaxed); }
  bool allowed() const { return allowed_.load(std::memory_order_relaxed); }
  void sent() { next_.fetch_add(1, std::memory_order_acq_rel); }
  bool waiting() const { return told_.load(std::memory_order_acquire) != next_.load(std::memory_order_acquire); }

  // Takes all numbers that wait: `first` to `last`. False where none do.
  bool take(u32* first, u32* last) {
    u32 from = told_.load(std::memory_order_acquire), to = 0;
    do {
      to = next_.load(std::memory_order_acquire);
      if (from == to) return false;
    } while (!told_.compare_exchange_weak(from, to, std::memory_order_acq_rel));
    *first = from;
    *last = to - 1;
    return true;
  }

 private:
  std::atomic<bool> allowed_{false};  // SO_ZEROCOPY
  std::atomic<u32> next_{0}, told_{0};
};

}  // namespace uni::net
