// SPDX-License-Identifier: Apache-2.0
// Each watch has a number that is never used again, so an event that was fetched before its watch went away finds
// nothing, even where the descriptor's number lives on.
#include "cli/vmm/loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace uni::vmm {

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Loop::WatchId Loop::watch(int fd, std::uint32_t events, Handler handler) {
  const WatchId id = next_id_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  const bool refused = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0;
  watches_.emplace(id, std::make_shared<Watch>(Watch{fd, events, refused, std::move(handler)}));
  if (refused) always_ready_.push_back(id);
  return id;
}

void Loop::change(WatchId id, std::uint32_t events) {
  const auto found = watches_.find(id);
  if (found == watches_.end() || found->second->events == events) return;
  found->second->events = events;
  if (found->second->always_ready) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second->fd, &event);
}

void Loop::forget(WatchId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  if (found->second->always_ready) {
    std::erase(always_ready_, id);
  } else {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
  }
  watches_.erase(found);
}

Loop::TimerId Loop::after(std::chrono::milliseconds delay, std::function<void()> action) {
  const TimerId id = next_id_++;
  timers_.emplace(Clock::now() + delay, Timer{id, std::move(action)});
  return id;
}

void Loop::cancel(TimerId id) {
  std::erase_if(timers_, [id](const auto& entry) { return entry.second.id == id; });
}

int Loop::wait_time() const {
  const bool ready = std::ranges::any_of(always_ready_, [this](WatchId id) {
    const auto found = watches_.find(id);
    return found != watches_.end() && (found->second->events & (EPOLLIN | EPOLLOUT)) != 0;
  });
  if (ready) return 0;
  if (timers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

void Loop::dispatch(WatchId id, std::uint32_t events) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  const std::shared_ptr<Watch> keep = found->second;  // the handler may forget its own watch
  keep->handler(events);
}

void Loop::run_timers() {
  while (!stopped_ && !timers_.empty() && timers_.begin()->first <= Clock::now()) {
    const std::function<void()> action = std::move(timers_.begin()->second.action);
    timers_.erase(timers_.begin());
    action();
  }
}

void Loop::run() {
  stopped_ = false;
  std::array<epoll_event, 64> events{};
  while (!stopped_) {
    const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_time());
    if (n < 0 && errno != EINTR) return;
    for (int i = 0; i < n && !stopped_; ++i) {
      const epoll_event& e = events.at(static_cast<std::size_t>(i));
      dispatch(e.data.u64, e.events);
    }
    const std::vector<WatchId> ready = always_ready_;
    for (const WatchId id : ready) {
      const auto found = watches_.find(id);
      if (stopped_ || found == watches_.end()) continue;
      const std::uint32_t wanted = found->second->events & (EPOLLIN | EPOLLOUT);
      if (wanted != 0) dispatch(id, wanted);
    }
    run_timers();
  }
}

}  // namespace uni::vmm
