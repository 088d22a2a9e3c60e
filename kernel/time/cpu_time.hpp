// SPDX-License-Identifier: Apache-2.0
// Processor time that threads and processes have used, in nanoseconds.
#pragma once

#include "kernel/base/types.hpp"

namespace uni {
class Process;
class Thread;
}  // namespace uni

namespace uni::time {

struct CpuTime {
  u64 user_ns = 0;
  u64 system_ns = 0;
  u64 total_ns() const { return user_ns + system_ns; }
};
// Up to now, also for a thread that runs. None of them blocks.
CpuTime cpu_time(const Thread& thread);
CpuTime cpu_time(Process& process);

}  // namespace uni::time
