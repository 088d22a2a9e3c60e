// SPDX-License-Identifier: Apache-2.0
// clone(2), clone3(2), fork(2), vfork(2): threads and processes. A process needs the image's permission; without it the
// call answers EPERM. Everything that can fail comes before the child has a number and can be found.
#include "syscall-shim/linux/clone.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/fs/pidfd.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/time/posix_timers.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/linux/extensible.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/thread.hpp"
#include "syscall-shim/linux/thread_ioprio.hpp"

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

struct Request {
  u64 flags = 0;
  int exit_signal = 0;
  u64 stack = 0;
  u64 parent_tid = 0, child_tid = 0, pidfd = 0, tls = 0;
};

// clone(2), "ERRORS": combinations that no kernel takes.
Result<void> check_flags(u64 flags) {
  if ((flags & (kCloneNewNs | kCloneFs)) == (kCloneNewNs | kCloneFs)) return Errno::Invalid;
  if ((flags & kCloneThread) != 0 && (flags & kCloneSigHand) == 0) return Errno::Invalid;
  if ((flags & kCloneSigHand) != 0 && (flags & kCloneVm) == 0) return Errno::Invalid;
  if ((flags & kCloneClearSigHand) != 0 && (flags & kCloneSigHand) != 0) return Errno::Invalid;
  if ((flags & kCloneParent) != 0 && Process::current().parent_pid() == Pid{1} &&
      &Process::current() == Process::program())
    return Errno::Invalid;  // the machine's first program has no siblings, as init on Linux
  if ((flags & kCloneNamespaces) != 0) {
    if ((flags & kCloneThread) != 0) return Errno::Invalid;
    return Errno::NotPermitted;
  }
  return {};
}

u32 processes_of(u32 uid) {
  u32 n = 0;
  Process::for_each([&](const Process& p) {
    if (p.credentials.uid == uid) n += max(p.thread_count, 1u);
  });
  return n;
}

// RLIMIT_NPROC; who may override resource limits is bounded by the machine's own (kernel/sched/pid_table.hpp).
Result<void> check_limit(const Process& process) {
  const u64 limit = process.limits[kLimitProcesses].soft;
  const Credentials& c = process.credentials;
  if (limit >= pids::most_threads() || c.capable(abi::kCapSysResource) || c.capable(abi::kCapSysAdmin) || c.uid == 0)
    return {};
  if (processes_of(c.uid) >= limit) return Errno::Again;
  return {};
}

void copy_thread_state(Thread& thread, Thread& self, const Request& r) {
  thread.fs_base = (r.flags & kCloneSetTls) != 0 ? r.tls : arch::user_tls();
  thread.gs_base = self.gs_base;
  sched::inherit_parameters(thread, self);
  thread.timer_slack_ns = thread.default_timer_slack_ns = self.timer_slack_ns;
  thread.memory_policy = self.memory_policy;
  thread.blocked = self.blocked;
  __builtin_memcpy(thread.name, self.name, sizeof thread.name);
  arch::fpu_save(thread.fpu);
  if ((r.flags & kCloneChildClearTid) != 0) thread.clear_child_tid = r.child_tid;
  if ((r.flags & kCloneChildSetTid) != 0) thread.set_child_tid = r.child_tid;
  // A child with memory of its own goes on where its parent was, its alternate stack and restartable area too.
  if ((r.flags & (kCloneVm | kCloneVfork)) != kCloneVm) {
    thread.alt_stack_base = self.alt_stack_base;
    thread.alt_stack_size = self.alt_stack_size;
    thread.alt_stack_flags = self.alt_stack_flags;
  }
  if ((r.flags & kCloneVm) == 0) {
    thread.rseq_address = self.rseq_address;
    thread.rseq_length = self.rseq_length;
    thread.rseq_signature = self.rseq_signature;
    thread.rseq_stale = true;
  }
}

TrapFrame child_frame(const Thread& self, const Request& r) {
  TrapFrame frame = *self.frame;
  frame.rax = 0;
  frame.orig_rax = ~u64{0};
  if (r.stack != 0) frame.rsp = r.stack;
  return frame;
}

// What the tracer of the caller, if any, has asked to be told of (ptrace(2), PTRACE_O_TRACEFORK and its kin).
trace::Event event_of(const Thread& self, const Request& r) {
  if ((r.flags & kCloneUntraced) != 0) return trace::kEventNone;
  const trace::Event event = (r.flags & kCloneVfork) != 0     ? trace::kEventVfork
                             : r.exit_signal != signal::kChld ? trace::kEventClone
                                                              : trace::kEventFork;
  return trace::wants(self, event) ? event : trace::kEventNone;
}

Result<i64> clone_thread(const Request& r) {
  if ((r.flags & kClonePidFd) != 0) return Errno::Invalid;
  Thread& self = Thread::current();
  Process& process = self.process();
  TRY(check_limit(process));
  auto thread = TRY(Thread::create_user(process, child_frame(self, r)));
  copy_thread_state(*thread, self, r);
  thread->own_fs = (r.flags & kCloneFs) != 0 ? self.own_fs : TRY(Process::current_fs()->copy());
  TRY(ThreadAccess::publish(*thread));
  const auto tid = static_cast<i32>(raw(thread->tid()));
  // As Linux: a bad address here is not an error of clone.
  if ((r.flags & kCloneParentSetTid) != 0) (void)UserPtr<i32>(r.parent_tid).write(tid).ok();
  if (process.exiting() || process.exec_thread != nullptr) {
    thread->must_exit = true;
    thread->attention = true;
  }
  ioprio::inherit(*thread, self);
  const trace::Event event = event_of(self, r);
  if (event != trace::kEventNone || (r.flags & kClonePtrace) != 0) trace::inherit(self, *thread);
  thread->start();
  if (event != trace::kEventNone) trace::event_stop(self, event, static_cast<u64>(tid));
  return tid;
}

Result<void> fill_process(Process& child, Process& parent, const Request& r) {
  if ((r.flags & kCloneFiles) != 0)
    child.files = parent.files;
  else
    child.files = TRY(parent.files->copy());
  if ((r.flags & kCloneFs) != 0)
    child.fs = Process::current_fs();
  else
    child.fs = TRY(Process::current_fs()->copy());
  child.signals =
      TRY(signal::copy_state(*parent.signals, (r.flags & kCloneClearSigHand) != 0 ? signal::CopyHandlers::kClear
                                              : (r.flags & kCloneSigHand) != 0    ? signal::CopyHandlers::kShare
                                                                                  : signal::CopyHandlers::kCopy));
  child.exit_signal = r.exit_signal;
  if ((r.flags & kCloneVfork) != 0) child.vfork_gate = TRY(make_ref<VforkGate>());
  // The most costly part last.
  if ((r.flags & kCloneVm) != 0)
    child.space = parent.space;
  else
    child.space = TRY(parent.space->fork());
  return {};
}

// The parent of a vfork sleeps until the child is out of its memory. A signal that ends the parent ends the wait.
bool wait_for_vfork(VforkGate& gate) {
  return gate.queue.wait([&] { return gate.open.load(std::memory_order_acquire); }, time::kNever, Sleep::kKillable) ==
         Wake::kReady;
}

Result<i64> clone_process(const Request& r) {
  if (!may_fork()) return Errno::NotPermitted;
  if ((r.flags & (kClonePidFd | kCloneDetached)) == (kClonePidFd | kCloneDetached)) return Errno::Invalid;
  Thread& self = Thread::current();
  Process& parent = self.process();
  TRY(check_limit(parent));
  if (pids::process_count() >= pids::most_processes()) return Errno::Again;  // before memory is copied
  auto child = TRY(ProcessAccess::create(&parent));
  TRY(fill_process(*child, parent, r));
  auto thread = TRY(Thread::create_user(*child, child_frame(self, r)));
  copy_thread_state(*thread, self, r);
  RefPtr<VforkGate> gate = child->vfork_gate;
  i32 pidfd = -1;
  if ((r.flags & kClonePidFd) != 0) {
    auto file = TRY(make_ref<fs::PidFd>(child, fs::kOpenReadWrite));
    pidfd = TRY(parent.files->install(move(file), true));
    if (const auto written = UserPtr<i32>(r.pidfd).write(pidfd); !written.ok()) {
      (void)parent.files->close(pidfd).ok();
      return written.error();
    }
  }
  Process* home = &parent;
  RefPtr<Process> grandparent;
  if ((r.flags & kCloneParent) != 0) {
    grandparent = Process::find(parent.parent_pid());
    if (grandparent) home = grandparent.get();
    child->exit_signal = parent.exit_signal;
  }
  Result<void> published = time::watch_cpu_limit(*child);
  if (published.ok()) published = ThreadAccess::publish(*thread, home);
  if (!published.ok()) {
    time::release_timers(*child);
    if (pidfd >= 0) (void)parent.files->close(pidfd).ok();
    return published.error();
  }
  if (home != &parent) {
    LockGuard guard(process_tree_lock());
    child->set_group(parent.group());
    child->set_session(parent.session());
  }
  const auto pid = static_cast<i32>(raw(child->pid()));
  if ((r.flags & kCloneParentSetTid) != 0) (void)UserPtr<i32>(r.parent_tid).write(pid).ok();
  ioprio::inherit(*thread, self);
  const trace::Event event = event_of(self, r);
  if (event != trace::kEventNone || (r.flags & kClonePtrace) != 0) trace::inherit(self, *thread);
  thread->start();
  if (event != trace::kEventNone) trace::event_stop(self, event, static_cast<u64>(pid));
  if (gate && wait_for_vfork(*gate)) trace::event_stop(self, trace::kEventVforkDone, static_cast<u64>(pid));
  return pid;
}

Result<i64> clone(const Request& r) {
  TRY(check_flags(r.flags));
  if ((r.flags & kCloneSetTls) != 0 && !user_range_ok(UserAddr{r.tls}, 1)) return Errno::NotPermitted;
  return (r.flags & kCloneThread) != 0 ? clone_thread(r) : clone_process(r);
}

enum class Permission : u8 { kNone, kFork, kExec };
Permission permission() {
  const StringView given = boot::config().get(BootKey::processes, "none");
  return given == "exec" ? Permission::kExec : given == "fork" ? Permission::kFork : Permission::kNone;
}

}  // namespace

bool may_fork() {
  if (permission() != Permission::kNone) return true;
  tell_refused(1, "processes=fork");
  return false;
}
bool may_execute() {
  if (permission() == Permission::kExec) return true;
  tell_refused(2, "processes=exec");
  return false;
}

// clone(2): the raw x86-64 order is flags, stack, parent_tid, child_tid, tls. CLONE_PIDFD gives its descriptor through
// parent_tid.
Result<i64> sys_clone(u64 flags, u64 stack, UserPtr<i32> parent_tid, UserPtr<i32> child_tid, u64 tls) {
  Request r;
  r.flags = flags & 0xffffff00;
  r.exit_signal = static_cast<int>(flags & 0xff);
  r.stack = stack;
  r.parent_tid = r.pidfd = raw(parent_tid.address());
  r.child_tid = raw(child_tid.address());
  r.tls = tls;
  if (r.exit_signal > signal::kCount) return Errno::Invalid;
  if ((flags & (kClonePidFd | kCloneParentSetTid)) == (kClonePidFd | kCloneParentSetTid)) return Errno::Invalid;
  return clone(r);
}

// clone3(2). Differs: set_tid and cgroups are refused.
Result<i64> sys_clone3(UserPtr<u8> arguments, u64 size) {
  if (size > kPageSize) return Errno::TooBig;
  if (size < 64) return Errno::Invalid;
  const auto a = TRY(read_extensible<CloneArguments>(arguments.address(), size));
  constexpr u64 kKnown = 0x3ffffff00 & ~u64{kCloneDetached};
  if ((a.flags & ~(kKnown | 0x80)) != 0) return Errno::Invalid;
  if (a.exit_signal > signal::kCount || ((a.flags & (kCloneThread | kCloneParent)) != 0 && a.exit_signal != 0))
    return Errno::Invalid;
  if ((a.stack == 0) != (a.stack_size == 0)) return Errno::Invalid;
  if (a.stack != 0 && !user_range_ok(UserAddr{a.stack}, a.stack_size)) return Errno::Invalid;
  if (a.set_tid_size > 32 || (a.set_tid == 0) != (a.set_tid_size == 0)) return Errno::Invalid;
  if (a.set_tid_size != 0) return Errno::NotPermitted;
  if ((a.flags & kCloneIntoCgroup) != 0) return a.cgroup > 0x7fffffff ? Errno::Invalid : Errno::BadFd;
  Request r;
  r.flags = a.flags;
  r.exit_signal = static_cast<int>(a.exit_signal);
  r.stack = a.stack + a.stack_size;
  r.parent_tid = a.parent_tid;
  r.child_tid = a.child_tid;
  r.pidfd = a.pidfd;
  r.tls = a.tls;
  return clone(r);
}

Result<i64> sys_fork() {
  Request r;
  r.exit_signal = signal::kChld;
  return clone(r);
}

Result<i64> sys_vfork() {
  Request r;
  r.flags = kCloneVfork | kCloneVm;
  r.exit_signal = signal::kChld;
  return clone(r);
}

}  // namespace uni::shim
