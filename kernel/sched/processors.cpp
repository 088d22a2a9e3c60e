// SPDX-License-Identifier: Apache-2.0
// What others ask about the processors, and a plain sleep.
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::sched {

unsigned cpu_count() {
  return arch::registered_cpus();
}
unsigned current_cpu() {
  return arch::this_cpu().id;
}

u64 idle_cycles(unsigned cpu) {
  const arch::Cpu& c = *arch::cpu_at(cpu);
  return c.idle_cycles + (c.idle ? arch::read_cycle_counter() - c.idle_since : 0);
}

Wake sleep_until(u64 deadline, Sleep how) {
  WaitQueue nobody;
  return nobody.wait([] { return false; }, deadline, how);
}

}  // namespace uni::sched
