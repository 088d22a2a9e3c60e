// SPDX-License-Identifier: Apache-2.0
// Who a process is: its number, group and session, and descriptors that stand for one.
#include "syscall-shim/linux/process.hpp"

#include "kernel/dev/tty/job_control.hpp"
#include "kernel/fs/pidfd.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {

namespace {

// The process that a pid argument means, 0 being the caller. Errors: NoProcess.
Result<RefPtr<Process>> process_of(i32 pid) {
  if (pid == 0) return RefPtr<Process>(&Process::current());
  RefPtr<Process> found = pid < 0 ? RefPtr<Process>() : Process::find(Pid{static_cast<u32>(pid)});
  if (!found) return Errno::NoProcess;
  return found;
}

}  // namespace

// getpid(2) and its family cannot fail.
Result<i64> sys_getpid() {
  return i64{raw(Process::current().pid())};
}
Result<i64> sys_getppid() {
  return i64{shown_parent(Process::current())};
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
  LockGuard guard(process_tree_lock());
  if (target.get() != &self) {
    if (target->parent != &self) return Errno::NoProcess;
    if (target->session() != self.session()) return Errno::NotPermitted;
    if (target->executed) return Errno::Access;
  }
  if (target->life.load() == Process::Life::kReaped) return Errno::NoProcess;
  if (raw(target->session()) == raw(target->pid())) return Errno::NotPermitted;
  const Pid wanted = group == 0 ? target->pid() : Pid{static_cast<u32>(group)};
  if (wanted != target->pid() && !Process::group_exists(wanted, self.session())) return Errno::NotPermitted;
  target->set_group(wanted);
  return 0;
}

// setsid(2).
Result<i64> sys_setsid() {
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  bool taken = false;
  for (const Process& p : Process::all())
    taken = taken || p.group() == self.pid();
  if (taken) return Errno::NotPermitted;
  self.set_group(self.pid());
  self.set_session(self.pid());
  dev::job_control::forget(self);
  return i64{raw(self.pid())};
}

// pidfd_open(2).
Result<i64> sys_pidfd_open(i32 pid, u32 flags) {
  if ((flags & ~u32{fs::kOpenNonBlock}) != 0 || pid <= 0) return Errno::Invalid;
  RefPtr<Process> target = Process::find(Pid{static_cast<u32>(pid)});
  if (target && target->life.load() == Process::Life::kReaped) return Errno::NoProcess;
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
