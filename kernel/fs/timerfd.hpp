// SPDX-License-Identifier: Apache-2.0
// timerfd_create(2): a timer whose expiries are read.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/time/alarm.hpp"

namespace uni::fs {

class TimerFd final : public File {
 public:
  TimerFd(time::AlarmClock clock, u32 open_flags)
      : File(FileKind::kTimerFd, open_flags), alarm_(clock, expired, this) {}

  // `next` is a time on the clock, or kNever. Gives the old setting.
  time::Alarm::Setting set(u64 next, u64 interval);
  time::Alarm::Setting get();
  u64 now() const { return alarm_.now(); }

  Result<usize> read(IoCursor& to, u64 offset) override;
  u32 poll() override;
  WaitQueue* poll_queue() override { return &queue_; }
  usize describe(Span<char> out) override;

 private:
  ~TimerFd() override { alarm_.cancel(); }
  static void expired(void* self);
  u64 take();
  std::atomic<u64> ticks_{0};
  WaitQueue queue_;
  time::Alarm alarm_;
};

}  // namespace uni::fs
