// SPDX-License-Identifier: Apache-2.0
// A thread's end, its numbers and lists, thread-local state.
#include "syscall-shim/linux/thread.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/thread_access.hpp"
#include "syscall-shim/linux/clone.hpp"
#include "syscall-shim/linux/futex.hpp"
#include "syscall-shim/linux/process_access.hpp"
#include "syscall-shim/linux/thread_ioprio.hpp"

namespace uni::shim {

// unshare(2). A thread may have directories of its own; descriptors are its process's, so that only a process of one
// thread can stop sharing them with another. Namespaces are refused with EPERM.
Result<i64> sys_unshare(u64 flags) {
  constexpr u64 kKnown =
      kCloneVm | kCloneFs | kCloneFiles | kCloneSigHand | kCloneThread | kCloneNewNs | kCloneSysvSem | kCloneNamespaces;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  if ((flags & (kCloneNamespaces | kCloneNewNs)) != 0) return Errno::NotPermitted;
  Process& process = Process::current();
  const bool alone = process.thread_count == 1;
  if ((flags & (kCloneVm | kCloneThread | kCloneSigHand | kCloneFiles)) != 0 && !alone) return Errno::Invalid;
  // What another process shares (clone without CLONE_THREAD) becomes this one's own.
  if ((flags & kCloneFiles) != 0) TRY(process.unshare_files());
  if ((flags & kCloneFs) != 0) TRY(process.unshare_fs());
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
  if (t->is_kernel() || !may_inspect(t->process())) return Errno::NotPermitted;
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
enum class Entry : u8 { kListed, kPending };

void release_robust(u64 address, u32 tid, bool inherits, Entry entry) {
  const auto word = load_user_u32(UserAddr{address});
  if (!word.ok()) return;
  // It died between giving the lock back and waking who waits for it.
  if (entry == Entry::kPending && !inherits && word.value() == 0) futex_wake_word(address, 1);
  u32 word_value = word.value();
  while (true) {
    const u32 old = word_value;
    if ((old & 0x3fffffff) != tid) return;
    const u32 fresh = (old & 0x80000000) | 0x40000000;  // FUTEX_WAITERS stays, FUTEX_OWNER_DIED comes
    const auto seen = cmpxchg_user_u32(UserAddr{address}, old, fresh);
    if (!seen.ok()) return;
    if (seen.value() == old) {
      // A lock with priority inheritance goes to its heir (futex::owner_exits).
      if (!inherits && (old & 0x80000000) != 0) futex_wake_word(address, 1);
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
  // Bit 0 of an entry's address marks a lock with priority inheritance.
  u64 entry = h.next & ~u64{1};
  bool inherits = (h.next & 1) != 0;
  const u64 pending = h.pending & ~u64{1};
  for (int limit = 2048; entry != t.robust_list && limit > 0; --limit) {
    const auto next = UserPtr<u64>(entry).read();
    if (entry != pending) release_robust(entry + static_cast<u64>(h.offset), tid, inherits, Entry::kListed);
    if (!next.ok()) return;
    entry = next.value() & ~u64{1};
    inherits = (next.value() & 1) != 0;
  }
  if (pending != 0) release_robust(pending + static_cast<u64>(h.offset), tid, (h.pending & 1) != 0, Entry::kPending);
}

}  // namespace

}  // namespace uni::shim

namespace uni {

extern "C" void thread_exit_hook(Thread* thread) {
  shim::walk_robust_list(*thread);
  shim::ioprio::forget(*thread);
  shim::futex::owner_exits(*thread);
  if (thread->clear_child_tid != 0) {
    const u64 at = thread->clear_child_tid;
    const u32 zero = 0;
    if (copy_to_user(UserAddr{at}, &zero, 4).ok()) shim::futex_wake_word(at, 1);
  }
}

}  // namespace uni
