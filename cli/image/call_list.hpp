// SPDX-License-Identifier: Apache-2.0
// The boot configuration's list of system calls (docs/IMAGE.md, `syscalls`).
#pragma once

#include <string>

#include "loader/analyze/syscalls_used.hpp"

namespace uni {

// The hexadecimal digits: one for each four numbers, the lowest in bit 0. Calls that the kernel's own code in the
// program makes (its vDSO, the way back from a signal handler) and the ways to end are always in it.
std::string call_list(const SyscallReport& report);

// Whether this is what `--syscalls` takes: audit, enforce or all.
bool is_call_mode(const std::string& mode);

}  // namespace uni
