// SPDX-License-Identifier: Apache-2.0
// A thread's own view of signals: dispositions, the blocked set, the alternate stack, waiting for signals.
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/signal_frame.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

constexpr u64 kSetSize = sizeof(signal::Set);
// Flags that a program can set; others are cleared, so that it can find out (sigaction(2), "Dynamically probing").
constexpr u64 kKnownFlags = 0xd8000807;  // SA_EXPOSE_TAGBITS (0x800) included

}  // namespace

// rt_sigaction(2).
Result<i64> sys_rt_sigaction(i32 number, UserPtr<abi::SigAction> action, UserPtr<abi::SigAction> old, u64 set_size) {
  if (set_size != kSetSize) return Errno::Invalid;
  abi::SigAction wanted{};
  if (action) wanted = TRY(action.read());
  if (number < 1 || number > signal::kCount) return Errno::Invalid;
  if (action && (signal::bit(number) & signal::kUnblockable) != 0) return Errno::Invalid;
  Process& process = Process::current();
  const signal::Action before = process.signals->actions[number - 1];
  if (action) {
    signal::set_action(process, number,
                       {wanted.handler, wanted.flags & (kKnownFlags | signal::kRestorer), wanted.restorer,
                        wanted.mask & ~signal::kUnblockable});
  }
  if (old) TRY(old.write({before.handler, before.flags, before.restorer, before.mask}));
  return 0;
}

// rt_sigprocmask(2).
Result<i64> sys_rt_sigprocmask(i32 how, UserPtr<u64> set, UserPtr<u64> old, u64 set_size) {
  if (set_size != kSetSize) return Errno::Invalid;
  Thread& thread = Thread::current();
  const signal::Set before = thread.blocked;
  if (set) {
    signal::Set wanted = TRY(set.read());
    switch (how) {
      case abi::kSigBlock:
        wanted |= before;
        break;
      case abi::kSigUnblock:
        wanted = before & ~wanted;
        break;
      case abi::kSigSetMask:
        break;
      default:
        return Errno::Invalid;
    }
    if ((wanted & ~signal::kUnblockable) != before) signal::set_blocked(thread, wanted);
  }
  if (old) TRY(old.write(before));
  return 0;
}

// rt_sigreturn(2). The registers are the frame's; an impossible frame is SIGSEGV.
Result<i64> sys_rt_sigreturn() {
  Thread& thread = Thread::current();
  TrapFrame& frame = *thread.frame;
  frame.orig_rax = ~u64{0};  // what rax holds is not this call's result: nothing to restart
  if (!leave_handler(thread, frame).ok()) {
    signal::Info info;
    info.number = signal::kSegv;
    info.code = abi::kSiKernel;
    signal::force(thread, info);
    return 0;
  }
  return static_cast<i64>(frame.rax);
}

// rt_sigpending(2).
Result<i64> sys_rt_sigpending(UserPtr<u64> set, u64 set_size) {
  if (set_size > kSetSize) return Errno::Invalid;
  const signal::Set waiting = signal::pending_set(Thread::current());
  TRY(copy_to_user(set.address(), &waiting, set_size));
  return 0;
}

// rt_sigtimedwait(2).
Result<i64> sys_rt_sigtimedwait(UserPtr<u64> wanted, UserPtr<abi::SigInfo> info, UserPtr<abi::Timespec> timeout,
                                u64 set_size) {
  if (set_size != kSetSize) return Errno::Invalid;
  const signal::Set set = TRY(wanted.read())
  &~signal::kUnblockable;
  const u64 deadline = TRY(read_deadline(timeout));
  Thread& thread = Thread::current();
  signal::Info taken;
  const Wake wake =
      thread.process().signals->signalfd_queue.wait([&] { return signal::dequeue(thread, set, &taken); }, deadline);
  if (wake != Wake::kReady && !signal::dequeue(thread, set, &taken))
    return wake == Wake::kTimedOut ? Errno::Again : Errno::Interrupted;
  if (info) TRY(info.write(to_abi(taken)));
  return i64{taken.number};
}

// rt_sigsuspend(2). The old set comes back after the handler.
Result<i64> sys_rt_sigsuspend(UserPtr<u64> mask, u64 set_size) {
  if (set_size != kSetSize) return Errno::Invalid;
  const signal::Set wanted = TRY(mask.read());
  Thread& thread = Thread::current();
  thread.saved_blocked = thread.blocked;
  thread.restore_saved_blocked = true;
  signal::set_blocked(thread, wanted);
  while (!signal::pending(thread))
    (void)sched::sleep_until(time::kNever);
  return Errno::RestartNoHand;
}

// pause(2).
Result<i64> sys_pause() {
  Thread& thread = Thread::current();
  while (!signal::pending(thread))
    (void)sched::sleep_until(time::kNever);
  return Errno::RestartNoHand;
}

// sigaltstack(2).
Result<i64> sys_sigaltstack(UserPtr<abi::SigStack> stack, UserPtr<abi::SigStack> old) {
  Thread& t = Thread::current();
  const u64 sp = t.frame->rsp;
  const abi::SigStack before{t.alt_stack_base,
                             static_cast<i32>(alt_stack_state(t, sp) | (t.alt_stack_flags & abi::kSsAutoDisarm)), 0,
                             t.alt_stack_size};
  if (stack) {
    const abi::SigStack wanted = TRY(stack.read());
    const u32 flags = static_cast<u32>(wanted.ss_flags);
    const u32 mode = flags & ~abi::kSsAutoDisarm;
    if (alt_stack_state(t, sp) == abi::kSsOnStack) return Errno::NotPermitted;
    if (mode != abi::kSsDisable && mode != abi::kSsOnStack && mode != 0) return Errno::Invalid;
    if (mode == abi::kSsDisable) {
      t.alt_stack_base = t.alt_stack_size = 0;
    } else {
      if (wanted.ss_size < abi::kMinSigStackSize) return Errno::NoMemory;
      t.alt_stack_base = wanted.ss_sp;
      t.alt_stack_size = wanted.ss_size;
    }
    t.alt_stack_flags = flags;
  }
  if (old) TRY(old.write(before));
  return 0;
}

// restart_syscall(2): the program is sent here by delivery, after a call that cannot simply be made again.
Result<i64> sys_restart_syscall() {
  Thread& thread = Thread::current();
  auto restart = exchange(thread.restart, nullptr);
  if (restart == nullptr) return Errno::Interrupted;
  return restart(thread);
}

TemporaryMask::~TemporaryMask() {
  if (!applied_) return;
  Thread& thread = Thread::current();
  if (keep_) {
    thread.saved_blocked = old_;
    thread.restore_saved_blocked = true;
    thread.attention.store(true);
  } else {
    signal::set_blocked(thread, old_);
  }
}

Result<void> TemporaryMask::apply(UserPtr<u64> mask, u64 mask_size) {
  if (!mask) return {};
  if (mask_size != kSetSize) return Errno::Invalid;
  const signal::Set wanted = TRY(mask.read());
  Thread& thread = Thread::current();
  old_ = thread.blocked;
  applied_ = true;
  signal::set_blocked(thread, wanted);
  return {};
}

}  // namespace uni::shim
