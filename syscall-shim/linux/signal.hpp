// SPDX-License-Identifier: Apache-2.0
// Handlers of the signal family, and the delivery of signals on the way to user mode.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/signal/signal.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

// Does the work that Thread::attention and work_due announce, on the way to user mode with `frame`: ends the thread
// where it must end, stops it, restarts an interrupted call or turns it into EINTR, and enters handlers. Called by the
// entry in a loop while attention is set, after system calls, faults and interrupts. May block; may not return.
void deliver_signals(TrapFrame& frame);
// A signal from the host (`signal N` on the control channel). From interrupts.
void host_signal(int number);
// A line from the host on the control channel; others than `signal N` are passed over. From interrupts.
void control_line(StringView line);

Result<i64> sys_rt_sigaction(i32 number, UserPtr<abi::SigAction> action, UserPtr<abi::SigAction> old, u64 set_size);
Result<i64> sys_rt_sigprocmask(i32 how, UserPtr<u64> set, UserPtr<u64> old, u64 set_size);
Result<i64> sys_rt_sigreturn();
Result<i64> sys_rt_sigpending(UserPtr<u64> set, u64 set_size);
Result<i64> sys_rt_sigtimedwait(UserPtr<u64> wanted, UserPtr<abi::SigInfo> info, UserPtr<abi::Timespec> timeout,
                                u64 set_size);
Result<i64> sys_rt_sigsuspend(UserPtr<u64> mask, u64 set_size);
Result<i64> sys_sigaltstack(UserPtr<abi::SigStack> stack, UserPtr<abi::SigStack> old);
Result<i64> sys_pause();
Result<i64> sys_restart_syscall();

Result<i64> sys_kill(i32 pid, i32 number);
Result<i64> sys_tkill(i32 tid, i32 number);
Result<i64> sys_tgkill(i32 pid, i32 tid, i32 number);
Result<i64> sys_rt_sigqueueinfo(i32 pid, i32 number, UserPtr<abi::SigInfo> info);
Result<i64> sys_rt_tgsigqueueinfo(i32 pid, i32 tid, i32 number, UserPtr<abi::SigInfo> info);
Result<i64> sys_pidfd_send_signal(i32 pidfd, i32 number, UserPtr<abi::SigInfo> info, u32 flags);

// --- helpers for other families ---

// For ppoll, pselect6 and epoll_pwait: replaces the blocked set for one call. Constructed with a null pointer it does
// nothing. On destruction the old set comes back, unless keep_for_handler() was called because a signal interrupted the
// call: then the old set comes back after the handler (sigreturn), as Linux's restore_sigmask does.
class TemporaryMask {
 public:
  TemporaryMask() = default;
  ~TemporaryMask();
  TemporaryMask(const TemporaryMask&) = delete;
  TemporaryMask& operator=(const TemporaryMask&) = delete;
  // Errors: Fault, Invalid (size is not 8).
  Result<void> apply(UserPtr<u64> mask, u64 mask_size);
  void keep_for_handler() { keep_ = true; }

 private:
  bool applied_ = false;
  bool keep_ = false;
  signal::Set old_ = 0;
};

abi::SigInfo to_abi(const signal::Info& info);
signal::Info from_abi(const abi::SigInfo& info);

}  // namespace uni::shim
