// SPDX-License-Identifier: Apache-2.0
// Sending signals: kill(2), tgkill(2), rt_sigqueueinfo(2), pidfd_send_signal(2).
#include "kernel/fs/pidfd.hpp"
#include "kernel/fs/pseudo_fs.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/security/landlock.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/linux/signal.hpp"

namespace uni::shim {

namespace {

bool valid(i32 number) {
  return number >= 0 && number <= signal::kCount;
}

// kill(2), "Permissions", and landlock(7)'s scope of signals; `to` is the thread that is meant, null for the leader.
Result<void> may_signal(Process& target, i32 number, const Thread* to = nullptr) {
  Process& self = Process::current();
  if (&target == &self) return {};
  const auto scope = [&] {
    if (to != nullptr) return landlock::check_scope(to->landlock.get(), landlock::kSignals);
    return landlock::check_scope(landlock::domain_of(target).get(), landlock::kSignals);
  };
  if (number == signal::kCont && target.session() == self.session()) return scope();
  const Credentials& mine = self.credentials;
  const Credentials& theirs = target.credentials;
  if (mine.capable(abi::kCapKill) || mine.euid == theirs.suid || mine.euid == theirs.uid || mine.uid == theirs.suid ||
      mine.uid == theirs.uid) {
    return scope();
  }
  return Errno::NotPermitted;
}

signal::Info from_user(i32 number, i32 code) {
  Process& self = Process::current();
  signal::Info info;
  info.number = number;
  info.code = code;
  info.pid = raw(self.pid());
  info.uid = self.credentials.uid;
  return info;
}

Result<i64> to_process(Process& target, i32 number, const signal::Info& info) {
  TRY(may_signal(target, number));
  if (number != 0) TRY(signal::send(target, info));
  return 0;
}

// Succeeds where one of them could be told (kill(2)). Errors: NoProcess (none is meant), NotPermitted.
template <typename Meant>
Result<i64> to_all(i32 number, const signal::Info& info, Meant meant) {
  bool found = false, done = false;
  Errno failed = Errno::NotPermitted;
  Process::for_each([&](Process& p) {
    if (!meant(p) || p.life.load() == Process::Life::kNew) return;
    found = true;
    if (!may_signal(p, number).ok()) return;
    const Result<void> sent = number != 0 ? signal::send(p, info) : Result<void>();
    if (sent.ok())
      done = true;
    else
      failed = sent.error();
  });
  if (done) return 0;
  return found ? failed : Errno::NoProcess;
}

Result<i64> to_thread(i32 pid, i32 tid, i32 number, const signal::Info& info) {
  Thread& self = Thread::current();
  if (static_cast<u32>(tid) == raw(self.tid()) && (pid < 0 || static_cast<u32>(pid) == raw(self.process().pid()))) {
    if (number != 0) TRY(signal::send(self, info));
    return 0;
  }
  RefPtr<Thread> target = Process::find_thread(Tid{static_cast<u32>(tid)});
  if (!target || (pid >= 0 && raw(target->process().pid()) != static_cast<u32>(pid))) return Errno::NoProcess;
  TRY(may_signal(target->process(), number, target.get()));
  if (number != 0) TRY(signal::send(*target, info));
  return 0;
}

// The siginfo of a rt_sigqueueinfo: a program may not pretend to be kill(2) or the kernel to others.
Result<signal::Info> queued_info(i32 number, UserPtr<abi::SigInfo> pointer, bool to_self) {
  const abi::SigInfo given = TRY(pointer.read());
  if ((given.si_code >= 0 || given.si_code == abi::kSiTkill) && !to_self) return Errno::NotPermitted;
  signal::Info info;
  info.number = number;
  info.code = given.si_code;
  info.error = given.si_errno;
  info.pid = given.rt.pid;
  info.uid = given.rt.uid;
  info.value = given.rt.value;
  info.address = given.fault.address;
  return info;
}

}  // namespace

namespace {
// Which of siginfo's words mean something, by signal and code (Linux's siginfo_layout).
enum class Layout : u8 { kRt, kTimer, kCall, kFault, kChild, kPoll };
Layout layout_of(int number, int code) {
  constexpr int kMostPollCode = 6;  // POLL_HUP
  constexpr signal::Set kFaults = signal::bit(signal::kSegv) | signal::bit(signal::kBus) | signal::bit(signal::kIll) |
                                  signal::bit(signal::kFpe) | signal::bit(signal::kTrap) | signal::bit(signal::kSys);
  if (code == abi::kSiTimer) return Layout::kTimer;
  if (code <= 0 || code == abi::kSiKernel) return Layout::kRt;
  if (number == signal::kSys && code == abi::kSysSeccomp) return Layout::kCall;
  const bool known = number >= 1 && number <= signal::kCount;
  // A tracer's stops are SIGTRAP with the stop's code; they name a process (ptrace(2), PTRACE_GETSIGINFO).
  constexpr int kMostTrapCode = 6;  // TRAP_UNK and TRAP_PERF
  if (number == signal::kTrap && code > kMostTrapCode) return Layout::kRt;
  if (known && (signal::bit(number) & kFaults) != 0) return Layout::kFault;
  if (number == signal::kChld) return Layout::kChild;
  // F_SETSIG: any signal may tell of a descriptor.
  return code <= kMostPollCode ? Layout::kPoll : Layout::kRt;
}
}  // namespace

abi::SigInfo to_abi(const signal::Info& info) {
  abi::SigInfo out;
  __builtin_memset(&out, 0, sizeof out);
  out.si_signo = info.number;
  out.si_errno = info.error;
  out.si_code = info.code;
  switch (layout_of(info.number, info.code)) {
    case Layout::kTimer:
      out.timer.timer_id = info.timer_id;
      out.timer.overrun = info.overrun;
      out.timer.value = info.value;
      break;
    case Layout::kCall:
      out.call.call_address = info.address;
      out.call.call_number = static_cast<i32>(info.value);
      out.call.arch = static_cast<u32>(info.value >> 32);
      break;
    case Layout::kFault:
      out.fault.address = info.address;
      break;
    case Layout::kChild:
      out.child.pid = info.pid;
      out.child.uid = info.uid;
      out.child.status = info.status;
      out.child.user_time = static_cast<i64>(info.user_time);
      out.child.system_time = static_cast<i64>(info.system_time);
      break;
    case Layout::kPoll:
      out.poll.band = info.band;
      out.poll.fd = info.fd;
      break;
    case Layout::kRt:
      out.rt.pid = info.pid;
      out.rt.uid = info.uid;
      out.rt.value = info.value;
  }
  return out;
}

signal::Info from_abi(const abi::SigInfo& in) {
  signal::Info info;
  info.number = in.si_signo;
  info.error = in.si_errno;
  info.code = in.si_code;
  switch (layout_of(info.number, info.code)) {
    case Layout::kTimer:
      info.timer_id = in.timer.timer_id;
      info.overrun = in.timer.overrun;
      info.value = in.timer.value;
      break;
    case Layout::kCall:
      info.address = in.call.call_address;
      info.value = u64{in.call.arch} << 32 | static_cast<u32>(in.call.call_number);
      break;
    case Layout::kFault:
      info.address = in.fault.address;
      break;
    case Layout::kChild:
      info.pid = in.child.pid;
      info.uid = in.child.uid;
      info.status = in.child.status;
      info.user_time = static_cast<u64>(in.child.user_time);
      info.system_time = static_cast<u64>(in.child.system_time);
      break;
    case Layout::kPoll:
      info.band = static_cast<int>(in.poll.band);
      info.fd = in.poll.fd;
      break;
    case Layout::kRt:
      info.pid = in.rt.pid;
      info.uid = in.rt.uid;
      info.value = in.rt.value;
  }
  return info;
}

// The process that a number means to kill(2) and rt_sigqueueinfo(2): on Linux any of its threads' will do. Null where
// there is none.
static RefPtr<Process> process_named(i32 number) {
  RefPtr<Process> process = Process::find(Pid{static_cast<u32>(number)});
  if (process) return process;
  const RefPtr<Thread> thread = Process::find_thread(Tid{static_cast<u32>(number)});
  return thread ? RefPtr<Process>(&thread->process()) : RefPtr<Process>();
}

// kill(2).
Result<i64> sys_kill(i32 pid, i32 number) {
  if (!valid(number)) return Errno::Invalid;
  const signal::Info info = from_user(number, abi::kSiUser);
  Process& self = Process::current();
  if (pid > 0) {
    if (static_cast<u32>(pid) == raw(self.pid())) return to_process(self, number, info);
    const RefPtr<Process> target = process_named(pid);
    if (!target) return Errno::NoProcess;
    return to_process(*target, number, info);
  }
  if (pid == static_cast<i32>(0x80000000)) return Errno::NoProcess;
  // -1: every process but init and, as on Linux, the caller; else a group.
  const u32 group = pid == 0 ? raw(self.group()) : static_cast<u32>(-pid);
  return to_all(number, info, [&](const Process& p) {
    return pid == -1 ? &p != &self && &p != Process::init() : raw(p.group()) == group;
  });
}

// tkill(2).
Result<i64> sys_tkill(i32 tid, i32 number) {
  if (tid <= 0 || !valid(number)) return Errno::Invalid;
  return to_thread(-1, tid, number, from_user(number, abi::kSiTkill));
}

// tgkill(2).
Result<i64> sys_tgkill(i32 pid, i32 tid, i32 number) {
  if (pid <= 0 || tid <= 0 || !valid(number)) return Errno::Invalid;
  return to_thread(pid, tid, number, from_user(number, abi::kSiTkill));
}

// rt_sigqueueinfo(2).
Result<i64> sys_rt_sigqueueinfo(i32 pid, i32 number, UserPtr<abi::SigInfo> pointer) {
  const bool to_self = static_cast<u32>(pid) == raw(Process::current().pid());
  const signal::Info info = TRY(queued_info(number, pointer, to_self));
  if (!valid(number)) return Errno::Invalid;
  if (pid <= 0) return Errno::NoProcess;
  const RefPtr<Process> target = process_named(pid);
  if (!target) return Errno::NoProcess;
  return to_process(*target, number, info);
}

// rt_tgsigqueueinfo(2).
Result<i64> sys_rt_tgsigqueueinfo(i32 pid, i32 tid, i32 number, UserPtr<abi::SigInfo> pointer) {
  if (pid <= 0 || tid <= 0) return Errno::Invalid;
  const bool to_self = static_cast<u32>(pid) == raw(Process::current().pid());
  const signal::Info info = TRY(queued_info(number, pointer, to_self));
  if (!valid(number)) return Errno::Invalid;
  return to_thread(pid, tid, number, info);
}

// A pidfd's process, or that of a directory /proc/PID. Errors: BadFd (it is neither), NoProcess.
static Result<RefPtr<Process>> process_of(fs::File& file) {
  if (file.kind() == fs::FileKind::kPidFd) return RefPtr<Process>(&static_cast<fs::PidFd&>(file).process());
  fs::Inode* inode = file.inode();
  const fs::pseudo::Numbers* numbers = inode != nullptr ? fs::pseudo::numbers_of(*inode, "proc", "<pid>") : nullptr;
  if (numbers == nullptr) return Errno::BadFd;
  RefPtr<Process> found = Process::find(Pid{static_cast<u32>(numbers->last())});
  if (!found || (numbers->mark != 0 && found->started_ns != numbers->mark)) return Errno::NoProcess;
  return found;
}

// pidfd_send_signal(2).
Result<i64> sys_pidfd_send_signal(i32 pidfd, i32 number, UserPtr<abi::SigInfo> pointer, u32 flags) {
  if (flags != 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(Process::current().files->get(pidfd));
  const RefPtr<Process> meant = TRY(process_of(*file));
  Process& target = *meant;
  signal::Info info = from_user(number, abi::kSiUser);
  if (pointer) {
    info = TRY(queued_info(number, pointer, &target == &Process::current()));
    if (TRY(pointer.read()).si_signo != number) return Errno::Invalid;
  }
  if (!valid(number)) return Errno::Invalid;
  if (target.life.load() == Process::Life::kReaped) return Errno::NoProcess;
  return to_process(target, number, info);
}

}  // namespace uni::shim
