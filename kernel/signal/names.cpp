// SPDX-License-Identifier: Apache-2.0
// The signals' names, for messages and strace lines.
#include "kernel/base/format.hpp"
#include "kernel/signal/sets.hpp"
#include "kernel/signal/signal.hpp"

namespace uni::signal {

StringView name_of(int number, Span<char> buffer) {
  static constexpr const char* kNames[] = {"HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",  "FPE",
                                           "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM", "STKFLT",
                                           "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",  "XCPU",
                                           "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};
  BufferWriter out(buffer.data(), buffer.size());
  if (number >= 1 && number < kRtMin)
    format(out, "SIG{}", kNames[number - 1]);
  else if (number == kRtMin)
    format(out, "SIGRTMIN");
  else if (number > kRtMin && number <= kCount)
    format(out, "SIGRT_{}", number - kRtMin);
  else
    format(out, "SIG{}", number);
  return out.view();
}

bool dumps_core(int number) {
  return (bit(number) & kCoreDumping) != 0;
}

}  // namespace uni::signal
