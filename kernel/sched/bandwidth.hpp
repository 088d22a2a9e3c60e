// SPDX-License-Identifier: Apache-2.0
// The bound on the processor time of all programs together (cgroup v2's cpu.max): in each period of 100 ms they get a
// quota. Once it is used up none of them runs in user mode until the next period; what was used beyond it, up to a tick
// on each processor, is taken from the next. Kernel threads and interrupts go on. docs/PROCESSES.md, "Processor time".
#pragma once

#include <atomic>

#include "kernel/base/types.hpp"

namespace uni::sched::bandwidth {

inline constexpr u64 kPeriodNs = 100'000'000;

extern bool g_limited;
extern std::atomic<bool> g_throttled;

// Is there a bound? It is set once, before the first program runs.
inline bool limited() {
  return g_limited;
}
// Must programs stand still?
inline bool throttled() {
  return g_throttled.load(std::memory_order_relaxed);
}

// At boot: `thousandths` of a processor.
void set(u64 thousandths);
// A program has used the processor. No lock held, interrupts off. Makes every processor choose anew at the quota's end.
void charge(u64 cycles);

struct Stats {
  u64 quota_ns;  // in each period; ~0: none
  u64 periods, throttled_periods, throttled_ns;
};
Stats stats();

}  // namespace uni::sched::bandwidth
