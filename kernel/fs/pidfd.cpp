// SPDX-License-Identifier: Apache-2.0
#include "kernel/fs/pidfd.hpp"

#include "kernel/base/format.hpp"
#include "kernel/fs/anonymous.hpp"
#include "kernel/sched/children.hpp"

namespace uni::fs {

usize PidFd::describe(Span<char> out) {
  return describe_anonymous("[pidfd]", out);
}

// -1: it has been waited for.
void PidFd::describe_info(Writer& out) {
  const bool gone = process_->life.load() > Process::Life::kZombie;
  const i64 pid = gone ? -1 : i64{raw(process_->pid())};
  format(out, "Pid:\t{}\nNSpid:\t{}\n", pid, pid);
}

namespace {

// struct pidfd_info (linux/pidfd.h), as far as its first version goes.
struct Info {
  u64 mask, cgroup;
  u32 pid, leader, parent;
  u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
  i32 exit_code;
};
static_assert(sizeof(Info) == 64);

enum InfoBit : u64 { kInfoPid = 1, kInfoCredentials = 2, kInfoExit = 8 };

}  // namespace

Result<i64> PidFd::ioctl(u32 command, u64 argument) {
  constexpr u32 kGetInfo = 0xff0b, kLeastSize = sizeof(Info);
  if ((command & 0xffff) != kGetInfo || command >> 30 != 3) return Errno::NotTty;
  const u32 size = (command >> 16) & 0x3fff;
  if (argument == 0 || size < kLeastSize) return Errno::Invalid;
  const u64 wanted = TRY(UserPtr<u64>(argument).read());
  Info info{};
  if (process_->life.load() == Process::Life::kReaped) {
    if ((wanted & kInfoExit) == 0) return Errno::NoProcess;
    info.mask = kInfoExit;
    info.exit_code = process_->exit_status();
  } else {
    LockGuard guard(process_->lock);
    const Credentials& c = process_->credentials;
    info.mask = kInfoPid | kInfoCredentials;
    info.pid = info.leader = raw(process_->pid());
    info.parent = shown_parent(*process_);
    info.uid = c.uid, info.euid = c.euid, info.suid = c.suid, info.fsuid = c.fsuid;
    info.gid = c.gid, info.egid = c.egid, info.sgid = c.sgid, info.fsgid = c.fsgid;
  }
  TRY(UserPtr<Info>(argument).write(info));
  return 0;
}

}  // namespace uni::fs
