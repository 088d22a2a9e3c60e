// SPDX-License-Identifier: Apache-2.0
// execve's core: puts a program into the current process: new address space, segments, interpreter, vDSO, stack.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/sched/process.hpp"

namespace uni::exec {

struct Arguments {
  Vector<String> arguments;
  Vector<String> environment;
};

// Replaces the current process's program; must run on its only thread. On success `frame` enters the program. May
// block. Errors before the point of no return leave the old program whole: NoEntry, Access, NoExec, Loop, NoMemory,
// TooBig, ... (execve(2)). `failed_path` then names the file that was at fault (the program or its interpreter); it
// views static storage.
Result<void> load(StringView path, const Arguments& arguments, TrapFrame& frame, StringView* failed_path);

}  // namespace uni::exec
