// SPDX-License-Identifier: Apache-2.0
// strace's lines, from the table (names, arity) and trace_args.def (what the arguments are). A line is written when the
// call is over, so a call that waits is seen late; those that do not come back are written before.
#include "syscall-shim/entry/trace.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/entry/trace_args.hpp"

namespace uni::shim {

bool trace_enabled = false;
u8 entry_checks = 0;

namespace {

enum Number : u32 {
#define SYS(number, name, arity, family, level, note) kSys_##name = number,
#include "syscall-shim/abi/syscalls.def"
#undef SYS
};

struct Row {
  const char* name;
  const char* arguments;
};

Row row_of(u64 number) {
  static constexpr const char* kHex[] = {"", "x", "xx", "xxx", "xxxx", "xxxxx", "xxxxxx"};
  Row row{nullptr, "xxxxxx"};
  switch (number) {
#define SYS(row_number, name, arity, family, level, note) \
  case row_number:                                        \
    row = {#name, kHex[arity]};                           \
    break;
#include "syscall-shim/abi/syscalls.def"
#undef SYS
    default:
      break;
  }
  switch (number) {
#define ARGS(name, letters)  \
  case kSys_##name:          \
    row.arguments = letters; \
    break;
#include "syscall-shim/entry/trace_args.def"
#undef ARGS
    default:
      break;
  }
  return row;
}

// Calls whose result is an address.
bool gives_address(u64 number) {
  return number == kSys_mmap || number == kSys_mremap || number == kSys_brk || number == kSys_shmat;
}

bool does_not_return(u64 number) {
  return number == kSys_exit || number == kSys_exit_group;
}

class Line {
 public:
  Line() : out_(text_) {
    out_.write("strace: ");
    if (Process::current().thread_count > 1) format(out_, "[pid {}] ", raw(Thread::current().tid()));
  }
  ~Line() { log::write_raw(out_.view()); }
  Writer& out() { return out_; }

 private:
  char text_[1024] = {};
  BufferWriter out_;
};

void write_call(Writer& out, u64 number, const u64* regs, i64 result) {
  const Row row = row_of(number);
  if (row.name != nullptr)
    out.write(row.name);
  else
    format(out, "syscall_{:#x}", number);
  out.write("(");
  for (usize i = 0; row.arguments[i] != '\0'; ++i) {
    // open's mode counts only where a file can be made.
    const bool opens = i > 0 && row.arguments[i] == 'o' && row.arguments[i - 1] == 'O';
    if (opens && (regs[i - 1] & 0x40) == 0 && (regs[i - 1] & 0x410000) != 0x410000) break;
    if (i != 0) out.write(", ");
    write_argument(out, row.arguments[i], regs[i], i < 5 ? regs[i + 1] : 0, result);
  }
  out.write(")");
}

const char* restart_text(Errno e) {
  switch (e) {
    case Errno::RestartSys:
      return "To be restarted if SA_RESTART is set";
    case Errno::RestartNoIntr:
      return "To be restarted";
    case Errno::RestartNoHand:
      return "To be restarted if no handler";
    case Errno::RestartBlock:
      return "Interrupted by signal";
    default:
      return nullptr;
  }
}

void write_result(Writer& out, u64 number, i64 result) {
  constexpr i64 kMostErrno = 4095;
  if (result >= 0 || result < -kMostErrno) {
    if (gives_address(number))
      format(out, " = {:#x}", static_cast<u64>(result));
    else
      format(out, " = {}", result);
    return;
  }
  const auto error = static_cast<Errno>(-result);
  if (const char* text = restart_text(error))
    format(out, " = ? {} ({})", errno_name(error), text);
  else
    format(out, " = -1 {} ({})", errno_name(error), errno_text(error));
}

const char* code_name(int code) {
  switch (code) {
    case abi::kSiUser:
      return "SI_USER";
    case abi::kSiKernel:
      return "SI_KERNEL";
    case abi::kSiQueue:
      return "SI_QUEUE";
    case abi::kSiTimer:
      return "SI_TIMER";
    case abi::kSiTkill:
      return "SI_TKILL";
    default:
      return nullptr;
  }
}

}  // namespace

void trace_init() {
  trace_enabled = boot::config().get(BootKey::trace) == "strace";
  if (trace_enabled) entry_checks |= kEntryTraced;
}

void trace_enter(u64 number, const u64* regs) {
  if (!does_not_return(number)) return;
  Line line;
  write_call(line.out(), number, regs, 0);
  line.out().write(" = ?");
}

void trace_exit(u64 number, const u64* regs, i64 result) {
  Line line;
  write_call(line.out(), number, regs, result);
  write_result(line.out(), number, result);
}

void trace_signal(const signal::Info& info) {
  Line line;
  line.out().write("--- ");
  write_signal(line.out(), info.number);
  line.out().write(" {si_signo=");
  write_signal(line.out(), info.number);
  if (const char* code = code_name(info.code))
    format(line.out(), ", si_code={}", code);
  else
    format(line.out(), ", si_code={}", info.code);
  if (info.code > 0 && info.code != abi::kSiKernel)
    format(line.out(), ", si_addr={:#x}", info.address);
  else if (info.code != abi::kSiKernel)
    format(line.out(), ", si_pid={}, si_uid={}", info.pid, info.uid);
  line.out().write("} ---");
}

void trace_killed(int number) {
  Line line;
  line.out().write("+++ killed by ");
  write_signal(line.out(), number);
  line.out().write(" +++");
}

}  // namespace uni::shim
