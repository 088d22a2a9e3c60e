// SPDX-License-Identifier: Apache-2.0
// `uni syscalls`: what the kernel speaks, printed from the one table.
#pragma once

#include <string>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct SyscallsOptions {
  std::string format = "table";
  std::string call;    // only this one; empty for all
  bool flags = false;  // show the tables of flags
};

// Prints the table to stdout: `table` for people, `json` for programs (a list of {number, name, level, note, flags},
// where flags is a list of {name, value, level, note}), `markdown` for the docs. Sorted by number. Errors: no such
// call, or one without flags.
Expected<int> run_syscalls(const SyscallsOptions& options);

}  // namespace uni
