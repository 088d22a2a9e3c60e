// SPDX-License-Identifier: Apache-2.0
// eventfd(2): a 64-bit counter that can be waited for.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {

class EventFd final : public File {
 public:
  enum class Mode : u8 { kCounter, kSemaphore };
  EventFd(u64 initial, Mode mode, u32 open_flags)
      : File(FileKind::kEventFd, open_flags), count_(initial), mode_(mode) {}

  Result<usize> read(IoCursor& to, u64 offset) override;
  Result<usize> write(IoCursor& from, u64 offset) override;
  u32 poll() override;
  WaitQueue* poll_queue() override { return &queue_; }
  usize describe(Span<char> out) override;
  void describe_info(Writer& out) override;

 private:
  u64 take();
  bool give(u64 value);
  std::atomic<u64> count_;
  Mode mode_;
  WaitQueue queue_;
};

}  // namespace uni::fs
