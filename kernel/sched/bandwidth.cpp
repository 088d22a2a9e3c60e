// SPDX-License-Identifier: Apache-2.0
#include "kernel/sched/bandwidth.hpp"

#include "kernel/base/late.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/timer_queue.hpp"

namespace uni::sched::bandwidth {

constinit bool g_limited = false;
constinit std::atomic<bool> g_throttled{false};

namespace {

u64 quota_ns = ~u64{0};
i64 quota_cycles = 0;
std::atomic<i64> left{0};  // cycles of this period
// The timer of the periods runs while somebody uses the processor.
std::atomic<bool> counting{false};
std::atomic<u64> periods{0}, throttled_periods{0}, throttled_ns{0}, throttled_since{0};

void begin_period(time::Timer&, void*);

time::Timer& period_timer() {
  static constinit Late<time::Timer> timer;
  return timer.get(begin_period, nullptr);
}

void poke_all() {
  for (unsigned cpu = 0; cpu < cpu_count(); ++cpu)
    poke(cpu);
}

void begin_period(time::Timer& timer, void*) {
  const i64 had = left.load(std::memory_order_relaxed);
  // Nobody ran: the next who does begins a period.
  if (had == quota_cycles) {
    counting.store(false, std::memory_order_release);
    return;
  }
  periods.fetch_add(1, std::memory_order_relaxed);
  i64 now = had, next = 0;
  do {
    next = min(now + quota_cycles, quota_cycles);
  } while (!left.compare_exchange_weak(now, next, std::memory_order_relaxed));
  if (throttled()) {
    throttled_periods.fetch_add(1, std::memory_order_relaxed);
    if (next > 0) {
      throttled_ns.fetch_add(time::monotonic_ns() - throttled_since.load(std::memory_order_relaxed),
                             std::memory_order_relaxed);
      g_throttled.store(false, std::memory_order_seq_cst);
      poke_all();
    }
  }
  timer.arm(time::monotonic_ns() + kPeriodNs);
}

}  // namespace

void set(u64 thousandths) {
  quota_ns = thousandths * (kPeriodNs / 1000);
  quota_cycles = static_cast<i64>(time::tsc_at(quota_ns) - time::tsc_at(0));
  left.store(quota_cycles, std::memory_order_relaxed);
  (void)period_timer();
  g_limited = true;
}

void charge(u64 cycles) {
  if (cycles == 0) return;
  const auto used = static_cast<i64>(cycles);
  const i64 rest = left.fetch_sub(used, std::memory_order_relaxed) - used;
  if (!counting.exchange(true, std::memory_order_acquire)) period_timer().arm(time::monotonic_ns() + kPeriodNs);
  if (rest > 0) return;
  if (g_throttled.exchange(true, std::memory_order_seq_cst)) {
    poke(current_cpu());
    return;
  }
  throttled_since.store(time::monotonic_ns(), std::memory_order_relaxed);
  poke_all();
}

Stats stats() {
  return {quota_ns, periods.load(std::memory_order_relaxed), throttled_periods.load(std::memory_order_relaxed),
          throttled_ns.load(std::memory_order_relaxed)};
}

}  // namespace uni::sched::bandwidth
