// SPDX-License-Identifier: Apache-2.0
#include "kernel/time/cpu_time.hpp"

#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::time {

namespace {

struct Cycles {
  u64 user, system;
};

// The scheduler adds a stretch when it ends; what runs now has its stretch's part that has passed.
Cycles used_by(const Thread& thread) {
  Cycles c{thread.user_cycles, thread.system_cycles};
  if (thread.on_cpu.load(std::memory_order_relaxed)) {
    const u64 now = cycles();
    const u64 since = thread.accounted_at;
    if (since != 0 && now > since) c.user += now - since;
  }
  return c;
}

// A tick takes from the program's time what was the kernel's, but nobody sees a time go back (getrusage(2)): what was
// shown as the program's stays so, until the kernel's share has grown to make up for it.
CpuTime show(Cycles c, std::atomic<u64>& shown) {
  u64 user = c.user;
  u64 before = shown.load(std::memory_order_relaxed);
  while (before < user && !shown.compare_exchange_weak(before, user, std::memory_order_relaxed))
    ;
  user = min(max(user, before), c.user + c.system);
  return {cycles_to_ns(user), cycles_to_ns(c.user + c.system - user)};
}

}  // namespace

CpuTime cpu_time(const Thread& thread) {
  return show(used_by(thread), thread.shown_user_cycles);
}

CpuTime cpu_time(Process& process) {
  LockGuard guard(process.lock);
  Cycles sum{process.dead_usage.user_cycles, process.dead_usage.system_cycles};
  for (const Thread& thread : process.threads) {
    const Cycles c = used_by(thread);
    sum.user += c.user;
    sum.system += c.system;
  }
  return show(sum, process.shown_user_cycles);
}

}  // namespace uni::time
