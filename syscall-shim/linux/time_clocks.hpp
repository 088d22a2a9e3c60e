// SPDX-License-Identifier: Apache-2.0
// Clock ids, shared by the time family's files.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::shim {

// A clock of processor time: of one thread, or of the whole process that the thread belongs to.
struct CpuClock {
  RefPtr<Thread> thread;
  bool per_thread = false;
  bool user_only = false;
};
// Errors: Invalid (not a CPU-time clock, or of somebody who is not there).
Result<CpuClock> decode_cpu_clock(i32 clock);
// Nanoseconds on any clock. Errors: Invalid.
Result<u64> read_clock(i32 clock);

}  // namespace uni::shim
