// SPDX-License-Identifier: Apache-2.0
#include "kernel/time/cpu_time.hpp"

#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::time {

namespace {

struct Cycles {
  u64 user, system;
};

// The scheduler adds a stretch when it ends; what runs now has its stretch's part that has passed. Who asks about
// itself is in the kernel, but most of its stretch was the program.
Cycles used_by(const Thread& thread) {
  Cycles c{thread.user_cycles, thread.system_cycles};
  if (thread.on_cpu.load(std::memory_order_relaxed)) {
    const u64 now = cycles();
    const u64 since = thread.accounted_at;
    if (since != 0 && now > since) c.user += now - since;
  }
  return c;
}

}  // namespace

CpuTime cpu_time(const Thread& thread) {
  const Cycles c = used_by(thread);
  return {cycles_to_ns(c.user), cycles_to_ns(c.system)};
}

CpuTime cpu_time(Process& process) {
  LockGuard guard(process.lock);
  Cycles sum{process.dead_usage.user_cycles, process.dead_usage.system_cycles};
  for (const Thread& thread : process.threads) {
    const Cycles c = used_by(thread);
    sum.user += c.user;
    sum.system += c.system;
  }
  return {cycles_to_ns(sum.user), cycles_to_ns(sum.system)};
}

}  // namespace uni::time
