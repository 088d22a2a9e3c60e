// SPDX-License-Identifier: Apache-2.0
// Writes one argument of a system call as strace does.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/mm/user_access.hpp"

namespace uni::shim {

// `kind` is a letter of trace_args.def; `next` is the argument behind it and `result` the call's, where a buffer's size
// stands. May page-fault.
void write_argument(Writer& out, char kind, u64 value, u64 next, i64 result);
// "[INT TERM]", or "~[KILL]" where most are in it.
void write_signal_set(Writer& out, u64 set);
void write_signal(Writer& out, int number);

}  // namespace uni::shim
