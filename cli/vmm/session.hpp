// SPDX-License-Identifier: Apache-2.0
// One run of a machine: QEMU's life, the relay of its channels to this process's own descriptors, signals, and the
// program's exit status.
#pragma once

#include <string>

#include "cli/vmm/kernel_log.hpp"
#include "cli/vmm/lacked.hpp"
#include "cli/vmm/loop.hpp"
#include "cli/vmm/spec.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

enum class Stdio { kPorts, kTerminal };

struct SessionOptions {
  std::string qemu;  // the program's path
  Stdio stdio = Stdio::kPorts;
  LogLevel log = LogLevel::kQuiet;
  Trace trace = Trace::kOff;
  std::string run_log;  // a file for what the guest lacked; empty: none
  FoundElsewhere found_elsewhere;
};

// Starts QEMU and blocks until it has ended and all of its output is written. Gives the program's status (128 + N for a
// signal); a machine that ends without telling one is a failure (125). `spec.channels` and `spec.log_fd` are filled in
// here; its other descriptors are the caller's. Whatever else is in `loop` is served meanwhile.
Expected<int> run_session(Loop& loop, MachineSpec spec, const SessionOptions& options);

}  // namespace uni::vmm
