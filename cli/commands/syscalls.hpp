// SPDX-License-Identifier: Apache-2.0
// `uni syscalls`: what the kernel speaks, printed from the one table.
#pragma once

#include <string>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct SyscallsOptions {
  std::string format = "table";
};

// Prints the table to stdout: `table` for people, `json` for programs (a list of {number, name, level, note}),
// `markdown` for the docs. Sorted by number.
Expected<int> run_syscalls(const SyscallsOptions& options);

}  // namespace uni
