// SPDX-License-Identifier: Apache-2.0
// The stops at the entry and exit of a traced system call (ptrace(2), "Syscall-stops"). Order, as on Linux: entry stop,
// seccomp filters, the call, exit stop.
#include "syscall-shim/linux/ptrace.hpp"

namespace uni::shim {
namespace {

constexpr u64 kMessageEntry = 1, kMessageExit = 2;  // PTRACE_EVENTMSG_SYSCALL_*

}  // namespace

u64 call_number(const TrapFrame& frame) {
  const auto number = static_cast<i32>(frame.orig_rax);
  return number < 0 ? kNoCall : static_cast<u64>(number);
}

void read_arguments(const TrapFrame& frame, u64* regs) {
  regs[0] = frame.rdi;
  regs[1] = frame.rsi;
  regs[2] = frame.rdx;
  regs[3] = frame.r10;
  regs[4] = frame.r8;
  regs[5] = frame.r9;
}

bool before_call(Thread& thread, TrapFrame& frame) {
  trace::Tracee& t = *thread.tracee.load();
  // SYSCALL has copied the tracer's step flag.
  if (t.forced_step) frame.r11 &= ~u64{0x100};
  if (!trace::wants_calls(thread)) return true;
  const bool emulated = trace::emulates_calls(thread);
  trace::call_stop(thread, kMessageEntry);
  return !emulated && !thread.must_exit.load();
}

void after_call(Thread& thread, TrapFrame&) {
  if (trace::emulates_calls(thread)) return;
  if (trace::wants_calls(thread))
    trace::call_stop(thread, kMessageExit);
  else if (trace::steps(thread))
    trace::step_stop(thread);
}

}  // namespace uni::shim
