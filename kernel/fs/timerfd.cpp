// SPDX-License-Identifier: Apache-2.0
// As on Linux, an interval timer that has expired is armed again when it is read or asked for its setting: what passes
// meanwhile is counted then, and nobody is interrupted for it.
#include "kernel/fs/timerfd.hpp"

#include "kernel/base/format.hpp"
#include "kernel/fs/anonymous.hpp"

namespace uni::fs {

using time::Alarm;

void TimerFd::expired(void* self) {
  TimerFd& file = *static_cast<TimerFd*>(self);
  const u64 count = file.alarm_.take_expired(Alarm::Rearm::kLater);
  if (count == 0) return;
  file.ticks_.fetch_add(count, std::memory_order_seq_cst);
  file.queue_.wake_all(kPollIn | kPollRdNorm);
}

Alarm::Setting TimerFd::set(u64 next, u64 interval, u32 flags) {
  const Alarm::Setting old = get();
  alarm_.cancel();
  ticks_.store(0, std::memory_order_seq_cst);
  set_flags_.store(flags, std::memory_order_relaxed);
  alarm_.set(next, interval);
  return old;
}

Alarm::Setting TimerFd::get() {
  if (ticks_.load(std::memory_order_relaxed) != 0) {
    ticks_.fetch_add(alarm_.take_expired(Alarm::Rearm::kLater), std::memory_order_seq_cst);
    alarm_.rearm();
  }
  return alarm_.get();
}

// The expiries since the last read; 0 when there are none.
u64 TimerFd::take() {
  u64 count = ticks_.exchange(0, std::memory_order_seq_cst);
  if (count == 0) return 0;
  count += alarm_.take_expired(Alarm::Rearm::kLater);
  alarm_.rearm();
  return count;
}

Result<usize> TimerFd::read(IoCursor& to, u64) {
  if (to.remaining() < sizeof(u64)) return Errno::Invalid;
  u64 count = take();
  if (count == 0) {
    if (must_not_wait(to)) return Errno::Again;
    if (queue_.wait([&] { return (count = take()) != 0; }) != Wake::kReady) return Errno::RestartSys;
  }
  return to.put(&count, sizeof count);
}

u32 TimerFd::poll() {
  return ticks_.load(std::memory_order_seq_cst) != 0 ? u32{kPollIn} : 0;
}

usize TimerFd::describe(Span<char> out) {
  return describe_anonymous("[timerfd]", out);
}

void TimerFd::describe_info(Writer& out) {
  const Alarm::Setting now = alarm_.get();
  format(out, "clockid: {}\nticks: {}\nsettime flags: 0{:o}\nit_value: ({}, {})\nit_interval: ({}, {})\n",
         clock_number_, ticks_.load(std::memory_order_relaxed), set_flags_.load(std::memory_order_relaxed),
         now.value / time::kSecond, now.value % time::kSecond, now.interval / time::kSecond,
         now.interval % time::kSecond);
}

}  // namespace uni::fs
