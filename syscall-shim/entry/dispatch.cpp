// SPDX-License-Identifier: Apache-2.0
// The system-call entry in C++: number -> row -> typed handler. The array is made from syscalls.def; a handler whose
// arity differs from its row does not compile. A call that is Missing answers ENOSYS and is reported once; one that the
// image's list does not have loses its entry at boot. -errno is made here and nowhere else.
#include <atomic>

#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/thread.hpp"
#include "syscall-shim/entry/allow_list.hpp"
#include "syscall-shim/entry/decode.hpp"
#include "syscall-shim/entry/trace.hpp"
#include "syscall-shim/linux/fs.hpp"
#include "syscall-shim/linux/io.hpp"
#include "syscall-shim/linux/ipc.hpp"
#include "syscall-shim/linux/mm.hpp"
#include "syscall-shim/linux/net.hpp"
#include "syscall-shim/linux/poll.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/ptrace.hpp"
#include "syscall-shim/linux/seccomp.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/sysinfo.hpp"
#include "syscall-shim/linux/thread.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {
namespace {

using Handler = SysResult (*)(const u64* regs);

template <auto kHandler, int kArity>
constexpr Handler checked() {
  static_assert(Invoke<kHandler>::kArity == kArity, "the handler's arity differs from syscalls.def");
  return &Invoke<kHandler>::call;
}

struct Table {
  Handler handlers[kRows] = {};
};

constexpr Table make_table() {
  Table t;
#define ROW_Full(name, arity) checked<&sys_##name, arity>()
#define ROW_Partial(name, arity) checked<&sys_##name, arity>()
#define ROW_Stub(name, arity) checked<&sys_##name, arity>()
#define ROW_Missing(name, arity) nullptr
#define SYS(number, name, arity, family, level, note) t.handlers[number] = ROW_##level(name, arity);
#include "syscall-shim/abi/syscalls.def"
#undef SYS
#undef ROW_Full
#undef ROW_Partial
#undef ROW_Stub
#undef ROW_Missing
  return t;
}

constinit Table table = make_table();

const char* name_of(u64 number) {
  switch (number) {
#define SYS(row_number, name, arity, family, level, note) \
  case row_number:                                        \
    return #name;
#include "syscall-shim/abi/syscalls.def"
#undef SYS
    default:
      return nullptr;
  }
}

std::atomic<u64> reported[kRows / 64 + 1];

i64 missing(u64 number) {
  if (number < kRows && is_denied(number)) return denied_call(number, name_of(number));
  const u64 slot = number < kRows ? number : kRows;
  const u64 bit = u64{1} << (slot % 64);
  if ((reported[slot / 64].fetch_or(bit, std::memory_order_relaxed) & bit) == 0) {
    char line[64];
    BufferWriter out(line);
    const char* name = name_of(number);
    if (name != nullptr)
      format(out, "missing-syscall {}", name);
    else
      format(out, "missing-syscall {}", number);
    dev::control_send(out.view());
    log::info("{}", out.view());
  }
  return -static_cast<i64>(Errno::NoSys);
}

i64 call(u64 number, const u64* regs) {
  const Handler handler = number < kRows ? table.handlers[number] : nullptr;
  if (handler == nullptr) [[unlikely]]
    return missing(number);
  const SysResult r = handler(regs);
  return r.ok() ? r.value() : -static_cast<i64>(r.error());
}

// A tracer may change the number and the arguments, or have no call made: both are read again behind each stop.
i64 traced_call(Thread& thread, TrapFrame& frame) {
  const bool made = before_call(thread, frame);
  u64 number = call_number(frame);
  u64 regs[6];
  read_arguments(frame, regs);
  i64 result = static_cast<i64>(frame.rax);
  if (made && number != kNoCall && seccomp_allows(thread, frame, number, regs, &result)) {
    number = call_number(frame);
    read_arguments(frame, regs);
    if (trace_enabled) trace_enter(number, regs);
    if (number != kNoCall) result = call(number, regs);
    if (trace_enabled) trace_exit(number, regs, result);
  }
  frame.rax = static_cast<u64>(result);
  after_call(thread, frame);
  return static_cast<i64>(frame.rax);
}

[[gnu::noinline]] i64 checked_call(Thread& thread, TrapFrame& frame, u64 number, const u64* regs) {
  if (trace::of(thread) != nullptr) return traced_call(thread, frame);
  if (trace_enabled) trace_enter(number, regs);
  i64 result = 0;
  if (seccomp_allows(thread, frame, number, regs, &result)) result = call(number, regs);
  if (trace_enabled) trace_exit(number, regs, result);
  return result;
}

}  // namespace

bool apply_allow_list() {
  if (!read_allow_list()) return false;
  for (usize number = 0; number < kRows; ++number) {
    if (is_denied(number)) table.handlers[number] = nullptr;
  }
  return true;
}

// Within one page: code that goes over a page's end is not chained by QEMU's TCG, which made each call a third slower.
extern "C" [[gnu::aligned(256)]] void syscall_main(TrapFrame* frame) {
  Thread& thread = Thread::current();
  thread.frame = frame;
  const u64 number = frame->rax;
  const u64 regs[6] = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9};
  frame->rax = static_cast<u64>(-static_cast<i64>(Errno::NoSys));
  const i64 result = entry_checks != 0 ? checked_call(thread, *frame, number, regs) : call(number, regs);
  frame->rax = static_cast<u64>(result);
  sched::before_user(*frame);
}

}  // namespace uni::shim
