// SPDX-License-Identifier: Apache-2.0
// The way to user mode while Thread::attention is set (signal(7), "Execution of signal handlers" and "Interruption of
// system calls").
#include "kernel/base/boot_config.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/sched/deferred.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/trace.hpp"
#include "syscall-shim/entry/trace.hpp"
#include "syscall-shim/linux/core_dump.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/signal_frame.hpp"

namespace uni::shim {

namespace {

constexpr u64 kSyscallLength = 2;  // the SYSCALL instruction's bytes
constexpr u64 kRestartSyscall = 219;

void call_again(TrapFrame& frame, u64 number) {
  frame.rax = number;
  frame.rip -= kSyscallLength;
}

// Turns a restart code in rax into what the program sees when no handler runs (null), or before one does.
void settle_interrupted_call(TrapFrame& frame, const signal::Action* action) {
  if (frame.orig_rax == ~u64{0}) return;
  const u64 number = exchange(frame.orig_rax, ~u64{0});
  const bool restarts = action == nullptr || (action->flags & signal::kRestart) != 0;
  switch (static_cast<Errno>(-static_cast<i64>(frame.rax))) {
    case Errno::RestartNoIntr:
      return call_again(frame, number);
    case Errno::RestartSys:
      if (restarts) return call_again(frame, number);
      break;
    case Errno::RestartNoHand:
      if (action == nullptr) return call_again(frame, number);
      break;
    case Errno::RestartBlock:
      if (action == nullptr) return call_again(frame, kRestartSyscall);
      break;
    default:
      return;
  }
  frame.rax = static_cast<u64>(-static_cast<i64>(Errno::Interrupted));
}

[[noreturn]] void end_process(const signal::Info& info, const TrapFrame& frame) {
  Thread& thread = Thread::current();
  if (trace_enabled) trace_killed(info.number);
  if (signal::dumps_core(info.number)) {
    char name[16];
    log::error("{} ({}) ended by {}, code {}, address {:#x}, at {:#x}, stack {:#x}", thread.name, raw(thread.tid()),
               signal::name_of(info.number, Span<char>(name)), info.code, info.address, frame.rip, frame.rsp);
  }
  end_with_core(info);
  exit_thread(info.number);
}

// The stack cannot take the frame: SIGSEGV, which a handler on another stack may still catch, unless it is SIGSEGV's
// own frame that failed.
void frame_failed(Thread& thread, int number) {
  if (number == signal::kSegv) {
    signal::Action action;
    signal::set_action(thread.process(), signal::kSegv, action);
  }
  signal::Info info;
  info.number = signal::kSegv;
  info.code = abi::kSiKernel;
  signal::force(thread, info);
}

}  // namespace

void deliver_signals(TrapFrame& frame) {
  Thread& thread = Thread::current();
  thread.attention.store(false, std::memory_order_seq_cst);
  thread.work_due.store(false, std::memory_order_relaxed);
  sched::run_deferred_work();
  for (;;) {
    if (thread.must_exit) exit_thread(thread.exit_status);
    const bool traced = trace::of(thread) != nullptr;
    if (traced && trace::stop_where_due(thread)) continue;
    signal::SignalState& signals = *thread.process().signals;
    if (signals.stopped && !traced) [[unlikely]] {
      signal::wait_while_stopped(thread);
      continue;
    }
    if (signals.continued) [[unlikely]]
      signal::wait_while_stopped(thread);
    signal::Info info;
    signal::Action action;
    switch (signal::next_delivery(thread, &info, &action)) {
      case signal::Delivery::kNothing:
        settle_interrupted_call(frame, nullptr);
        if (thread.restore_saved_blocked) {
          thread.restore_saved_blocked = false;
          signal::set_blocked(thread, thread.saved_blocked);
        }
        return;
      case signal::Delivery::kStop:
        if (trace_enabled) trace_signal(info);
        signal::stop(thread.process(), info.number);
        continue;
      case signal::Delivery::kFatal:
        if (trace_enabled) trace_signal(info);
        end_process(info, frame);
      case signal::Delivery::kHandler:
        if (trace_enabled) trace_signal(info);
        settle_interrupted_call(frame, &action);
        // Further signals set attention again; the caller comes back.
        if (!enter_handler(thread, frame, info, action).ok()) return frame_failed(thread, info.number);
        if (traced && trace::steps(thread)) trace::handler_stop(thread);
        return;
    }
  }
}

void host_signal(int number) {
  if (dev::signal_terminal(number)) return;
  Process* process = Process::program();
  if (process == nullptr || !process->signals) return;
  signal::Info info;
  info.number = number;
  (void)signal::send(*process, info).ok();  // without memory a host's signal goes without its siginfo
}

void control_line(StringView line) {
  constexpr StringView kWord = "signal ", kSize = "winsize ";
  if (line.starts_with(kSize)) {
    const StringView rest = line.slice(kSize.size());
    const usize blank = rest.find(' ');
    const auto rows = parse_decimal(rest.slice(0, blank)), columns = parse_decimal(rest.slice(blank + 1));
    if (blank == StringView::kNotFound || !rows.ok() || !columns.ok()) return;
    if (rows.value() <= 0xffff && columns.value() <= 0xffff)
      dev::set_window_size(static_cast<u16>(rows.value()), static_cast<u16>(columns.value()));
    return;
  }
  if (!line.starts_with(kWord)) return;
  const auto number = parse_decimal(line.slice(kWord.size()));
  if (number.ok() && number.value() >= 1 && number.value() <= signal::kCount)
    host_signal(static_cast<int>(number.value()));
}

}  // namespace uni::shim

extern "C" void uni::user_attention(TrapFrame* frame) {
  shim::deliver_signals(*frame);
}
