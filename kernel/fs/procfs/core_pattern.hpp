// SPDX-License-Identifier: Apache-2.0
// /proc/sys/kernel/core_pattern: what a core file is called (core(5), "Naming of core dump files").
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/base/result.hpp"

namespace uni::fs::procfs {

// The name for a core file of the current thread. Errors: NameTooLong.
Result<void> write_core_name(Writer& out, int signal);
// The pattern is `|PROGRAM`.
bool core_goes_to_program();

}  // namespace uni::fs::procfs
