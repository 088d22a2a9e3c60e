// SPDX-License-Identifier: Apache-2.0
// clone(2) for threads, exit, thread-local state. A clone that would make a process is refused: see
// note_process_refused.
#include "syscall-shim/linux/thread.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/thread_access.hpp"
#include "syscall-shim/linux/process.hpp"

namespace uni::shim {
namespace {

enum CloneFlag : u64 {
  kVm = 0x100,
  kFs = 0x200,
  kFiles = 0x400,
  kSigHand = 0x800,
  kPidFd = 0x1000,
  kVfork = 0x4000,
  kParent = 0x8000,
  kThread = 0x10000,
  kNewNs = 0x20000,
  kSysvSem = 0x40000,
  kSetTls = 0x80000,
  kParentSetTid = 0x100000,
  kChildClearTid = 0x200000,
  kDetached = 0x400000,
  kChildSetTid = 0x1000000,
  kIo = 0x80000000,
  kClearSigHand = 0x100000000,
};
constexpr u64 kNamespaces = 0x7e020080;

Result<i64> clone_thread(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 tls) {
  if ((flags & kThread) != 0 && (flags & kSigHand) == 0) return Errno::Invalid;
  if ((flags & kSigHand) != 0 && (flags & kVm) == 0) return Errno::Invalid;
  if ((flags & kNewNs) != 0 && (flags & kFs) != 0) return Errno::Invalid;
  if ((flags & kThread) == 0) {
    // A new process, with memory of its own or shared (vfork).
    note_process_refused();
    return Errno::NotPermitted;
  }
  if ((flags & kNamespaces) != 0) return Errno::Invalid;
  if ((flags & kPidFd) != 0) return Errno::Invalid;
  Thread& self = Thread::current();
  Process& process = self.process();
  if (process.thread_count >= min<u64>(process.limits[kLimitProcesses].soft, 30000)) return Errno::Again;

  TrapFrame frame = *self.frame;
  frame.rax = 0;
  frame.orig_rax = ~u64{0};
  if (stack != 0) frame.rsp = stack;
  auto thread = TRY(Thread::create_user(process, frame));
  if ((flags & kSetTls) != 0 && !user_range_ok(UserAddr{tls}, 1)) return Errno::NotPermitted;
  thread->fs_base = (flags & kSetTls) != 0 ? tls : arch::user_tls();
  thread->gs_base = self.gs_base;
  thread->affinity = self.affinity;
  thread->nice = self.nice;
  thread->blocked = self.blocked;
  for (usize i = 0; i < sizeof self.name; ++i)
    thread->name[i] = self.name[i];
  arch::fpu_save(thread->fpu);
  if ((flags & kChildClearTid) != 0) thread->clear_child_tid = child_tid;
  TRY(ThreadAccess::publish(*thread));
  const auto tid = static_cast<i32>(raw(thread->tid()));
  // As Linux: a bad address here is not an error of clone.
  if ((flags & kParentSetTid) != 0) (void)UserPtr<i32>(parent_tid).write(tid);
  if ((flags & kChildSetTid) != 0) (void)UserPtr<i32>(child_tid).write(tid);
  if (process.exiting()) {
    thread->must_exit = true;
    thread->attention = true;
  }
  thread->start();
  return tid;
}

}  // namespace

// clone(2): the raw x86-64 order is flags, stack, parent_tid, child_tid, tls.
Result<i64> sys_clone(u64 flags, u64 stack, UserPtr<i32> parent_tid, UserPtr<i32> child_tid, u64 tls) {
  return clone_thread(flags & ~u64{0xff}, stack, raw(parent_tid.address()), raw(child_tid.address()), tls);
}

Result<i64> sys_clone3(UserPtr<u8> arguments, u64 size) {
  if (size > kPageSize) return Errno::TooBig;
  if (size < 64) return Errno::Invalid;
  CloneArguments a{};
  TRY(copy_from_user(&a, arguments.address(), min<u64>(size, sizeof a)));
  for (u64 at = sizeof a; at < size; ++at) {
    u8 byte = 0;
    TRY(copy_from_user(&byte, arguments.address() + at, 1));
    if (byte != 0) return Errno::TooBig;
  }
  if ((a.flags & 0xff) != 0 || (a.flags & kDetached) != 0) return Errno::Invalid;
  if (a.exit_signal > 64 || ((a.flags & (kThread | kParent)) != 0 && a.exit_signal != 0)) return Errno::Invalid;
  if ((a.stack == 0) != (a.stack_size == 0)) return Errno::Invalid;
  if (a.stack != 0 && !user_range_ok(UserAddr{a.stack}, a.stack_size)) return Errno::Invalid;
  if (a.set_tid_size != 0) return Errno::NotPermitted;
  return clone_thread(a.flags, a.stack + a.stack_size, a.parent_tid, a.child_tid, a.tls);
}

// unshare(2). What a thread of a one-threaded process would stop sharing it does not share; namespaces are refused with
// EPERM.
Result<i64> sys_unshare(u64 flags) {
  constexpr u64 kKnown = kVm | kFs | kFiles | kSigHand | kThread | kNewNs | kSysvSem | kNamespaces;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  if ((flags & (kNamespaces | kNewNs)) != 0) return Errno::NotPermitted;
  const bool alone = Process::current().thread_count == 1;
  if ((flags & (kVm | kThread | kSigHand | kFs | kFiles)) != 0 && !alone) return Errno::Invalid;
  return 0;
}

Result<i64> sys_exit(i32 status) {
  exit_thread(status & 0xff);
}

Result<i64> sys_exit_group(i32 status) {
  Process::current().begin_exit((status & 0xff) << 8);
  exit_thread(status & 0xff);
}

Result<i64> sys_gettid() {
  return i64{raw(Thread::current().tid())};
}

Result<i64> sys_set_tid_address(u64 address) {
  Thread& t = Thread::current();
  t.clear_child_tid = address;
  return i64{raw(t.tid())};
}

Result<i64> sys_set_robust_list(u64 head, u64 length) {
  if (length != 24) return Errno::Invalid;
  Thread::current().robust_list = head;
  return 0;
}

Result<i64> sys_get_robust_list(i32 tid, UserPtr<u64> head, UserPtr<u64> length) {
  RefPtr<Thread> t = tid == 0 ? RefPtr<Thread>(&Thread::current()) : Process::find_thread(Tid{static_cast<u32>(tid)});
  if (!t) return Errno::NoProcess;
  TRY(length.write(24));
  TRY(head.write(t->robust_list));
  return 0;
}

// arch_prctl(2).
Result<i64> sys_arch_prctl(i32 code, u64 address) {
  enum { kSetGs = 0x1001, kSetFs = 0x1002, kGetFs = 0x1003, kGetGs = 0x1004, kGetCpuid = 0x1011, kSetCpuid = 0x1012 };
  switch (code) {
    case kSetFs:
      if (address >= kUserEnd) return Errno::NotPermitted;
      arch::set_user_tls(address);
      return 0;
    case kSetGs:
      if (address >= kUserEnd) return Errno::NotPermitted;
      Thread::current().gs_base = address;
      arch::wrmsr(arch::kMsrKernelGsBase, address);
      arch::this_cpu().user_gs = address;
      return 0;
    case kGetFs:
      TRY(UserPtr<u64>(address).write(arch::user_tls()));
      return 0;
    case kGetGs:
      TRY(UserPtr<u64>(address).write(arch::rdmsr(arch::kMsrKernelGsBase)));
      return 0;
    case kGetCpuid:
      return 1;
    case kSetCpuid:
      return Errno::NoDevice;
    default:
      return Errno::Invalid;
  }
}

Result<i64> sys_getcpu(UserPtr<u32> cpu, UserPtr<u32> node, u64) {
  if (cpu) TRY(cpu.write(sched::current_cpu()));
  if (node) TRY(node.write(0));
  return 0;
}

namespace {

// A futex word of the robust list whose owner died (set_robust_list(2), Documentation/locking/robust-futexes).
void release_robust(u64 address, u32 tid) {
  const auto word = load_user_u32(UserAddr{address});
  if (!word.ok()) return;
  u32 word_value = word.value();
  while (true) {
    const u32 old = word_value;
    if ((old & 0x3fffffff) != tid) return;
    const u32 fresh = (old & 0x80000000) | 0x40000000;  // FUTEX_WAITERS stays, FUTEX_OWNER_DIED comes
    const auto seen = cmpxchg_user_u32(UserAddr{address}, old, fresh);
    if (!seen.ok()) return;
    if (seen.value() == old) {
      if ((old & 0x80000000) != 0) futex_wake_word(address, 1);
      return;
    }
    word_value = seen.value();
  }
}

void walk_robust_list(Thread& t) {
  struct Head {
    u64 next;
    i64 offset;
    u64 pending;
  };
  if (t.robust_list == 0) return;
  const auto head = UserPtr<Head>(t.robust_list).read();
  if (!head.ok()) return;
  const Head h = head.value();
  const u32 tid = raw(t.tid());
  u64 entry = h.next & ~u64{1};
  const u64 pending = h.pending & ~u64{1};
  for (int limit = 2048; entry != t.robust_list && limit > 0; --limit) {
    const auto next = UserPtr<u64>(entry).read();
    if (entry != pending) release_robust(entry + static_cast<u64>(h.offset), tid);
    if (!next.ok()) return;
    entry = next.value() & ~u64{1};
  }
  if (pending != 0) release_robust(pending + static_cast<u64>(h.offset), tid);
}

}  // namespace

}  // namespace uni::shim

namespace uni {

extern "C" void thread_exit_hook(Thread* thread) {
  shim::walk_robust_list(*thread);
  if (thread->clear_child_tid != 0) {
    const u64 at = thread->clear_child_tid;
    const u32 zero = 0;
    if (copy_to_user(UserAddr{at}, &zero, 4).ok()) shim::futex_wake_word(at, 1);
  }
}

}  // namespace uni
