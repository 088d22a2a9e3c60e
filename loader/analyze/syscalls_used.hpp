// SPDX-License-Identifier: Apache-2.0
// Which system calls the closure can make, found in its machine code.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/closure.hpp"

namespace uni {

struct SyscallUse {
  unsigned number = 0;
  std::vector<std::string> origins;  // guest paths of the files whose code makes or asks for the call, sorted
};

struct SyscallReport {
  std::vector<SyscallUse> uses;        // by number
  std::vector<std::string> undecided;  // "FILE: N call sites whose number is computed at run time"
  std::vector<std::string> processes;  // evidence of fork and exec: "FILE: fork", sorted
};

// Decodes the code of every object of the closure. Of the C library and the dynamic linker only the functions count
// that others can reach; of all other files, all code. What cannot be decided is said. Reads the files again; an
// unreadable one is an error.
Expected<SyscallReport> find_syscalls(const Closure& closure);

// The permission that the evidence asks for: "none", "fork" or "exec" (which includes fork).
std::string_view processes_wanted(const SyscallReport& report);

}  // namespace uni
