// SPDX-License-Identifier: Apache-2.0
// Which system calls the closure can make, found in its machine code (docs/ANALYSIS.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/closure.hpp"

namespace uni {

struct SyscallUse {
  unsigned number = 0;
  // Who makes it: "FILE: FUNCTION", or "FILE: FUNCTION -> NAME" where it asks the C library's NAME for it. One a file,
  // the nearest; at most a few.
  std::vector<std::string> origins;
};

// A port that is listened on.
struct PortUse {
  unsigned number = 0;   // 0: not decided
  std::string evidence;  // "FILE: FUNCTION", "recipe NAME", "traced"; where it is not decided, why
  bool operator==(const PortUse&) const = default;
};

struct SyscallReport {
  std::vector<SyscallUse> uses;        // by number
  std::vector<std::string> undecided;  // "FILE: FUNCTION+0xOFFSET: REASON", sorted; where any is, `uses` may lack calls
  std::vector<std::string> processes;  // evidence of fork and exec: "FILE: FUNCTION -> NAME", sorted
  std::vector<PortUse> ports;          // by number, those that are not decided last
};

// Decodes the code of every object of the closure and walks its call graph. Uses all processors. Reads the files again;
// an unreadable one is an error. A closure that was looked at before is answered from the cache ($XDG_CACHE_HOME/uni).
Expected<SyscallReport> find_syscalls(const Closure& closure);

// Adds a port in its place, unless one of that number is there.
void add_port(SyscallReport& report, PortUse port);

// The permission that the evidence asks for: "none", "fork" or "exec" (which includes fork).
std::string_view processes_wanted(const SyscallReport& report);

}  // namespace uni
