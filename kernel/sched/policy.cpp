// SPDX-License-Identifier: Apache-2.0
// Scheduling parameters that change under a thread: policies, nice values, priority inheritance, affinity; and the load
// averages.
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/time/timer_queue.hpp"

namespace uni::sched {
namespace {

// Each step of nice is a quarter more or a fifth less of the processor beside a thread of nice 0 (sched(7)).
constexpr u32 pace_of_nice(int nice) {
  u64 pace = u64{kUnitPace} << 16;
  for (int i = 0; i < nice; ++i)
    pace += pace / 4;
  for (int i = 0; i > nice; --i)
    pace -= pace / 5;
  return static_cast<u32>(pace >> 16);
}
struct Paces {
  u32 of[40];
  constexpr Paces() : of() {
    for (int i = 0; i < 40; ++i)
      of[i] = pace_of_nice(i - 20);
  }
};
constexpr Paces kPaces;
constexpr u32 kIdlePace = 341 * kUnitPace;  // SCHED_IDLE weighs 3, nice 0 weighs 1024

void refresh(Thread& t) {
  const u8 own = is_real_time(t.policy) ? t.rt_priority : u8{0};
  t.priority = max(own, t.boost);
  t.pace = t.policy == Policy::kIdle ? kIdlePace : kPaces.of[t.nice + 20];
}

// Runs change() with the thread's queue held; where it was queued it is queued anew.
template <typename Change>
void change_queued(Thread& t, Change change) {
  bool queued = false;
  while (true) {
    const u32 home = t.home.load(std::memory_order_acquire);
    RunQueue& q = queue_of(home);
    LockGuard guard(q.lock);
    if (t.home.load(std::memory_order_relaxed) != home) continue;
    queued = t.queued;
    if (queued) {
      q.ready.remove(t);
      t.queued = false;
      q.length.fetch_sub(1, std::memory_order_relaxed);
    }
    change();
    break;
  }
  if (queued) return place(t);
  if (!t.on_cpu.load(std::memory_order_acquire)) return;
  // It runs: another may go before it now, or it must leave.
  const u32 cpu = t.cpu.load(std::memory_order_relaxed);
  RunQueue& q = queue_of(cpu);
  if (q.running_priority.load(std::memory_order_relaxed) >= 0)
    q.running_priority.store(t.priority, std::memory_order_relaxed);
  if (!may_run(t, cpu) || q.length.load(std::memory_order_relaxed) > 0) poke(cpu);
}

}  // namespace

void set_parameters(Thread& t, const Parameters& wanted) {
  change_queued(t, [&] {
    t.policy = wanted.policy;
    t.rt_priority = wanted.rt_priority;
    t.nice = wanted.nice;
    t.reset_on_fork = wanted.reset_on_fork;
    refresh(t);
  });
}

void set_boost(Thread& t, u8 rt_priority) {
  if (t.boost == rt_priority) return;
  change_queued(t, [&] {
    t.boost = rt_priority;
    refresh(t);
  });
}

void set_affinity(Thread& t, u64 allowed) {
  change_queued(t, [&] { t.affinity = allowed; });
}

void inherit_parameters(Thread& child, const Thread& parent) {
  child.affinity = parent.affinity;
  child.policy = parent.policy;
  child.rt_priority = parent.rt_priority;
  child.nice = parent.nice;
  if (parent.reset_on_fork) {
    if (is_real_time(child.policy)) child.policy = Policy::kOther;
    child.rt_priority = 0;
    if (child.nice < 0) child.nice = 0;
  }
  refresh(child);
}

u64 slice_ns(const Thread& t) {
  if (t.policy == Policy::kFifo) return 0;
  if (t.policy == Policy::kRoundRobin) return kRoundRobinNs;
  return t.pace > 4 * kUnitPace ? kSliceNs / 4 : kSliceNs;
}

namespace {
// A sample every 5 s, as getloadavg(3) has it: no timer wakes the machine for it, but what has passed since the last is
// made up for when a processor begins or ends to be idle, and when somebody asks.
constexpr u64 kSampleNs = 5 * time::kSecond;
constexpr u64 kFixedOne = 2048;
// 2048 / exp(5 s / 1, 5, 15 min)
constexpr u64 kDecay[3] = {1884, 2014, 2037};
constinit SpinLock g_load_lock{Rank::kLeaf};
constinit u64 g_load[3] = {};
constinit std::atomic<u64> g_next_sample{0};  // cycles
u64 g_sample_cycles = 0;

u64 active_threads() {
  u64 active = 0;
  for (unsigned i = 0; i < arch::registered_cpus(); ++i) {
    const arch::Cpu& cpu = *arch::cpu_at(i);
    if (cpu.run_queue == nullptr) continue;
    active += cpu.run_queue->length.load(std::memory_order_relaxed) + (cpu.idle ? 0 : 1);
  }
  return active;
}
}  // namespace

void sample_load(u64 now) {
  u64 next = g_next_sample.load(std::memory_order_relaxed);
  if (static_cast<i64>(now - next) < 0) return;
  LockGuard guard(g_load_lock);
  next = g_next_sample.load(std::memory_order_relaxed);
  if (next == 0) {
    g_sample_cycles = time::tsc_at(kSampleNs) - time::tsc_at(0);
    g_next_sample.store(now + g_sample_cycles, std::memory_order_relaxed);
    return;
  }
  if (static_cast<i64>(now - next) < 0) return;
  u64 periods = 1 + (now - next) / g_sample_cycles;
  g_next_sample.store(next + periods * g_sample_cycles, std::memory_order_relaxed);
  const u64 active = active_threads() * kFixedOne;
  for (periods = min<u64>(periods, 2000); periods > 0; --periods) {
    for (int i = 0; i < 3; ++i) {
      const u64 sum = g_load[i] * kDecay[i] + active * (kFixedOne - kDecay[i]);
      g_load[i] = (sum + (active >= g_load[i] ? kFixedOne - 1 : 0)) / kFixedOne;
    }
  }
}

LoadAverage load_average() {
  sample_load(arch::read_cycle_counter());
  LockGuard guard(g_load_lock);
  return {g_load[0], g_load[1], g_load[2]};
}

}  // namespace uni::sched
