// SPDX-License-Identifier: Apache-2.0
// One thread's event loop over epoll(7): descriptors, and timers. Handlers run on the loop's thread and may add and
// remove anything, themselves included. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cli/vmm/fd.hpp"

namespace uni::vmm {

class Loop {
 public:
  // Gets the ready events (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR).
  using Handler = std::function<void(std::uint32_t)>;
  using Clock = std::chrono::steady_clock;
  using WatchId = std::uint64_t;
  using TimerId = std::uint64_t;

  Loop();
  bool valid() const { return static_cast<bool>(epoll_); }

  // Watches `fd`, level-triggered. A descriptor that epoll refuses (a regular file, /dev/null) counts as always ready.
  // The caller keeps `fd` open until forget().
  WatchId watch(int fd, std::uint32_t events, Handler handler);
  void change(WatchId id, std::uint32_t events);
  void forget(WatchId id);

  TimerId after(std::chrono::milliseconds delay, std::function<void()> action);
  void cancel(TimerId id);

  // Handles events until stop(). Blocks.
  void run();
  void stop() { stopped_ = true; }

 private:
  struct Watch {
    int fd;
    std::uint32_t events;
    bool always_ready;
    Handler handler;
  };
  struct Timer {
    TimerId id;
    std::function<void()> action;
  };
  int wait_time() const;
  void dispatch(WatchId id, std::uint32_t events);
  void run_timers();

  Fd epoll_;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches_;
  std::vector<WatchId> always_ready_;
  std::multimap<Clock::time_point, Timer> timers_;
  std::uint64_t next_id_ = 1;
  bool stopped_ = false;
};

}  // namespace uni::vmm
