// SPDX-License-Identifier: Apache-2.0
// Who a process is: its number, group and session; and the calls that would make another one. An image with one process
// has no children: waiting answers ECHILD, and making one is refused with a note to the host.
#include "syscall-shim/linux/process.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/fs/pidfd.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {

namespace {

std::atomic<u32> told{0};  // which permissions were already reported

void tell_refused(u32 bit, StringView permission) {
  if ((told.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  char line[64];
  BufferWriter out(line);
  format(out, "permission {}", permission);
  dev::control_send(out.view());
  log::warn("refused: the image does not give the permission `{}`", permission);
}

// The process that a pid argument means, 0 being the caller. Errors: NoProcess.
Result<RefPtr<Process>> process_of(i32 pid) {
  if (pid == 0) return RefPtr<Process>(&Process::current());
  RefPtr<Process> found = pid < 0 ? RefPtr<Process>() : Process::find(Pid{static_cast<u32>(pid)});
  if (!found) return Errno::NoProcess;
  return found;
}

// Is there a string, and a list of strings? Errors: Fault. A path that is too long is the refusal's business.
Result<void> check_string(UserAddr at) {
  char start[64];
  const auto length = copy_string_from_user(start, at, sizeof start);
  if (!length.ok() && length.error() == Errno::Fault) return Errno::Fault;
  return {};
}
Result<void> check_list(UserPtr<u64> list) {
  constexpr usize kMost = 4096;
  for (usize i = 0; list && i < kMost; ++i) {
    const u64 string = TRY((list + i).read());
    if (string == 0) break;
    TRY(check_string(UserAddr{string}));
  }
  return {};
}

enum WaitOption : u32 {
  kNoHang = 1,
  kStopped = 2,
  kExited = 4,
  kContinued = 8,
  kNoWait = 0x01000000,
  kCloneFamily = 0xe0000000,
};

}  // namespace

void note_process_refused() {
  tell_refused(1, "processes=fork");
}

// getpid(2) and its family cannot fail.
Result<i64> sys_getpid() {
  return i64{raw(Process::current().pid())};
}
Result<i64> sys_getppid() {
  return i64{raw(Process::current().parent_pid())};
}
Result<i64> sys_getpgrp() {
  return i64{raw(Process::current().group())};
}
Result<i64> sys_getpgid(i32 pid) {
  return i64 {
    raw(TRY(process_of(pid))->group())
  };
}
Result<i64> sys_getsid(i32 pid) {
  return i64 {
    raw(TRY(process_of(pid))->session())
  };
}

// setpgid(2).
Result<i64> sys_setpgid(i32 pid, i32 group) {
  if (group < 0) return Errno::Invalid;
  Process& self = Process::current();
  RefPtr<Process> target = TRY(process_of(pid));
  if (target.get() != &self && target->parent_pid() != self.pid()) return Errno::NoProcess;
  if (raw(target->session()) == raw(target->pid())) return Errno::NotPermitted;
  const Pid wanted = group == 0 ? target->pid() : Pid{static_cast<u32>(group)};
  if (wanted != target->pid()) {
    RefPtr<Process> leader = Process::find(wanted);
    if (!leader || leader->session() != target->session()) return Errno::NotPermitted;
  }
  target->set_group(wanted);
  return 0;
}

// setsid(2).
Result<i64> sys_setsid() {
  Process& self = Process::current();
  if (self.group() == self.pid()) return Errno::NotPermitted;
  self.set_group(self.pid());
  self.set_session(self.pid());
  return i64{raw(self.pid())};
}

// wait4(2): there are no children.
Result<i64> sys_wait4(i32 pid, UserPtr<i32>, i32 options, UserPtr<abi::Rusage>) {
  if ((static_cast<u32>(options) & ~(kNoHang | kStopped | kContinued | kCloneFamily)) != 0) return Errno::Invalid;
  if (pid == static_cast<i32>(0x80000000)) return Errno::NoProcess;
  return Errno::NoChild;
}

// waitid(2): there are no children.
Result<i64> sys_waitid(i32 kind, i32 id, UserPtr<abi::SigInfo>, i32 options, UserPtr<abi::Rusage>) {
  constexpr i32 kAll = 0, kPid = 1, kGroup = 2, kPidFd = 3;
  const u32 bits = static_cast<u32>(options);
  if ((bits & ~(kNoHang | kNoWait | kExited | kStopped | kContinued | kCloneFamily)) != 0) return Errno::Invalid;
  if ((bits & (kExited | kStopped | kContinued)) == 0) return Errno::Invalid;
  switch (kind) {
    case kAll:
      break;
    case kPid:
      if (id <= 0) return Errno::Invalid;
      break;
    case kGroup:
      if (id < 0) return Errno::Invalid;
      break;
    case kPidFd: {
      if (id < 0) return Errno::Invalid;
      RefPtr<fs::File> file = TRY(Process::current().files->get(id));
      if (file->kind() != fs::FileKind::kPidFd) return Errno::BadFd;
      break;
    }
    default:
      return Errno::Invalid;
  }
  return Errno::NoChild;
}

// fork(2), vfork(2): refused.
Result<i64> sys_fork() {
  note_process_refused();
  return Errno::NotPermitted;
}
Result<i64> sys_vfork() {
  return sys_fork();
}

// execve(2), execveat(2): refused, after the checks of what the program passed.
Result<i64> sys_execve(UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment) {
  TRY(check_string(path.address()));
  TRY(check_list(arguments));
  TRY(check_list(environment));
  tell_refused(2, "processes=exec");
  return Errno::NotPermitted;
}
Result<i64> sys_execveat(i32, UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment, i32) {
  return sys_execve(path, arguments, environment);
}

// pidfd_open(2).
Result<i64> sys_pidfd_open(i32 pid, u32 flags) {
  if ((flags & ~u32{fs::kOpenNonBlock}) != 0 || pid <= 0) return Errno::Invalid;
  RefPtr<Process> target = Process::find(Pid{static_cast<u32>(pid)});
  if (!target) {
    // A thread that does not lead its process is there, but is not one (pidfd_open(2), EINVAL).
    return Process::find_thread(Tid{static_cast<u32>(pid)}) ? Errno::Invalid : Errno::NoProcess;
  }
  auto file = TRY(make_ref<fs::PidFd>(move(target), fs::kOpenReadWrite | flags));
  return i64 {
    TRY(Process::current().files->install(move(file), true))
  };
}

}  // namespace uni::shim
