// SPDX-License-Identifier: Apache-2.0
// A lock whose waiters sleep, for what blocks while it is held (disk, user memory). Not recursive.
#pragma once

#include <atomic>

#include "kernel/sync/wait_queue.hpp"

namespace uni {

class Mutex {
 public:
  // May block. Needs: no spin lock held.
  void lock() {
    bool expected = false;
    if (!locked_.compare_exchange_strong(expected, true, std::memory_order_acquire)) lock_slow();
  }
  bool try_lock() {
    bool expected = false;
    return locked_.compare_exchange_strong(expected, true, std::memory_order_acquire);
  }
  void unlock() {
    locked_.store(false, std::memory_order_seq_cst);
    if (contended_.load(std::memory_order_seq_cst) != 0) waiters_.wake_one();
  }
  bool locked() const { return locked_.load(std::memory_order_relaxed); }

 private:
  void lock_slow();
  std::atomic<bool> locked_{false};
  std::atomic<u32> contended_{0};
  WaitQueue waiters_;
};

}  // namespace uni
