// SPDX-License-Identifier: Apache-2.0
// execve's core: puts a program into the current process: new address space, segments, interpreter, vDSO, stack.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/dentry.hpp"
#include "kernel/sched/process.hpp"

namespace uni::exec {

struct Arguments {
  Vector<String> arguments;
  Vector<String> environment;
};

// Replaces the current process's program. On success `frame` enters it. May block. The process's other threads are
// ended first, its descriptors with the close-on-exec flag closed, its signal handlers reset. A script (`#!`) runs its
// interpreter. Errors before the point of no return leave the old program whole: NoEntry, Access, NoExec, Loop,
// NoMemory, TooBig, ... (execve(2)); *failed_path then names the file that was at fault (the program or its
// interpreter). A failure after it ends the process: RestartNoIntr, with which the caller leaves.
Result<void> load(StringView path, Arguments& arguments, TrapFrame& frame, String* failed_path);
// The same for a file that was found already; `name` is what the program is told (AT_EXECFN) and named after.
Result<void> load(RefPtr<fs::Dentry> found, StringView name, Arguments& arguments, TrapFrame& frame,
                  String* failed_path);

}  // namespace uni::exec
