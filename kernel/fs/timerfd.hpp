// SPDX-License-Identifier: Apache-2.0
// timerfd_create(2): a timer whose expiries are read.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/time/alarm.hpp"

namespace uni::fs {

class TimerFd final : public File {
 public:
  // `number` is the clock's, which fdinfo shows.
  TimerFd(time::AlarmClock clock, i32 number, u32 open_flags)
      : File(FileKind::kTimerFd, open_flags), clock_number_(number), alarm_(clock, expired, this) {}

  // `next` is a time on the clock, or kNever; fdinfo shows `flags`. Gives the old setting.
  time::Alarm::Setting set(u64 next, u64 interval, u32 flags);
  time::Alarm::Setting get();
  u64 now() const { return alarm_.now(); }

  Result<usize> read(IoCursor& to, u64 offset) override;
  u32 poll() override;
  WaitQueue* poll_queue() override { return &queue_; }
  usize describe(Span<char> out) override;
  void describe_info(Writer& out) override;

 private:
  ~TimerFd() override { alarm_.cancel(); }
  static void expired(void* self);
  u64 take();
  std::atomic<u64> ticks_{0};
  std::atomic<u32> set_flags_{0};
  const i32 clock_number_;
  WaitQueue queue_;
  time::Alarm alarm_;
};

}  // namespace uni::fs
