// SPDX-License-Identifier: Apache-2.0
// `audit:DIGITS` or `enforce:DIGITS`; the digit at place i says which of the numbers 4i to 4i+3 are allowed, the lowest
// in bit 0. Numbers behind the last digit are not.
#include "syscall-shim/entry/allow_list.hpp"

#include <atomic>

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/format.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/signal/signal.hpp"

namespace uni::shim {
namespace {

constexpr usize kWords = (kRows + 63) / 64;
constexpr StringView kAudit = "audit:";
constexpr StringView kEnforce = "enforce:";
constexpr int kSysSeccomp = 1;  // SYS_SECCOMP, sigaction(2)

u64 denied[kWords];
std::atomic<u64> reported[kWords];
bool ends_process;

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool read_allow_list() {
  const StringView text = boot::config().get(BootKey::syscalls);
  if (text.empty()) return true;
  ends_process = text.starts_with(kEnforce);
  if (!ends_process && !text.starts_with(kAudit)) return false;
  const StringView digits = text.slice(ends_process ? kEnforce.size() : kAudit.size());
  for (u64& word : denied)
    word = ~u64{0};
  for (usize i = 0; i < digits.size(); ++i) {
    const int value = digit_value(digits[i]);
    if (value < 0) return false;
    if (i / 16 < kWords) denied[i / 16] &= ~(static_cast<u64>(value) << (i % 16 * 4));
  }
  return true;
}

bool is_denied(u64 number) {
  return (denied[number / 64] >> (number % 64) & 1) != 0;
}

i64 denied_call(u64 number, const char* name) {
  const u64 bit = u64{1} << (number % 64);
  if ((reported[number / 64].fetch_or(bit, std::memory_order_relaxed) & bit) == 0) {
    char line[80];
    BufferWriter out(line);
    const char* what = ends_process ? "ended" : "refused";
    if (name != nullptr)
      format(out, "denied-syscall {} {}", name, what);
    else
      format(out, "denied-syscall {} {}", number, what);
    dev::control_send(out.view());
    log::warn("{}: it is not in the image's list", out.view());
  }
  if (ends_process) {
    // As seccomp(2)'s SECCOMP_RET_KILL_PROCESS: no handler sees it.
    signal::set_action(Process::current(), signal::kSys, {});
    Thread& thread = Thread::current();
    signal::Info info;
    info.number = signal::kSys;
    info.code = kSysSeccomp;
    info.address = thread.frame->rip;
    signal::force(thread, info);
  }
  return -static_cast<i64>(Errno::NoSys);
}

}  // namespace uni::shim
