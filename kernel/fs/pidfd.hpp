// SPDX-License-Identifier: Apache-2.0
// A descriptor that stands for a process (pidfd_open(2)). Readable once the process has ended.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

class PidFd final : public File {
 public:
  PidFd(RefPtr<Process> process, u32 open_flags) : File(FileKind::kPidFd, open_flags), process_(move(process)) {}
  u32 poll() override { return process_->life.load() >= Process::Life::kZombie ? kPollIn | kPollRdNorm : 0; }
  WaitQueue* poll_queue() override { return &process_->exit_queue; }
  usize describe(Span<char> out) override;
  void describe_info(Writer& out) override;
  // PIDFD_GET_INFO. Errors: Invalid, NotTty, NoProcess.
  Result<i64> ioctl(u32 command, u64 argument) override;
  Process& process() const { return *process_; }

 private:
  RefPtr<Process> process_;
};

}  // namespace uni::fs
