// SPDX-License-Identifier: Apache-2.0
#include "kernel/sched/out_of_memory.hpp"

#include "kernel/boot/log.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::sched {
namespace {

constexpr int kNever = -1000;  // oom_score_adj that protects (proc_pid_oom_score_adj(5))

i64 score_of(Process& p, i64 total_pages) {
  LockGuard guard(p.lock);
  if (!p.space || p.oom_score_adj == kNever) return -1;
  return max<i64>(0, static_cast<i64>(p.space->resident()) + p.oom_score_adj * total_pages / 1000);
}

}  // namespace

bool make_room() {
  Thread& self = Thread::current();
  if (self.is_kernel() || self.must_exit.load()) return false;
  const auto total = static_cast<i64>(mm::memory_stats().total_pages);
  RefPtr<Process> victim;
  i64 worst = -1;
  bool ending = false;
  Process::for_each([&](Process& p) {
    if (&p == Process::init() || p.life.load() != Process::Life::kAlive) return;
    if (p.exiting()) {
      ending = true;
      return;
    }
    const i64 score = score_of(p, total);
    if (score <= worst) return;
    worst = score;
    victim = RefPtr<Process>(&p);
  });
  if (!ending) {
    if (!victim || victim.get() == &self.process()) return false;
    log::error("out of memory: process {} ({} MiB) is ended; give the machine more with `uni run -m`",
               raw(victim->pid()), worst / 256);
    victim->begin_exit(signal::kKill);
  }
  (void)sleep_until(time::deadline_after(time::kMillisecond), Sleep::kUninterruptible);
  return true;
}

}  // namespace uni::sched
