// SPDX-License-Identifier: Apache-2.0
// The scheduler: per-processor queues (run_queue.hpp), time slices only while someone waits, stealing by idle
// processors. A thread is on at most one queue; `state` turns from kSleeping to kRunnable exactly once per wake
// (compare-exchange), and that waker queues it. A thread that is queued may still be on its old stack: whoever picks it
// waits for on_cpu to clear.
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/arch/x86_64/user_bases.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/bandwidth.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/kernel_stack.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/time/timer_queue.hpp"

extern "C" void switch_stacks(uni::u64* save_sp, uni::u64 new_sp);
extern "C" void halt_until_interrupt();

namespace uni::sched {

constinit Spans spans{};

using arch::Cpu;
using arch::this_cpu;

namespace {

std::atomic<u64> idle_mask{0};
std::atomic<u64> kicked_mask{0};  // idle processors that were already told

void poke(Cpu& cpu) {
  cpu.need_resched.store(true, std::memory_order_release);
  if (&cpu != &this_cpu()) arch::send_ipi(cpu.apic_id, arch::kRescheduleVector);
}

// Tells one idle processor that may run something of this queue's to come and take it.
void kick_idle() {
  u64 candidates = idle_mask.load(std::memory_order_acquire) & ~kicked_mask.load(std::memory_order_relaxed);
  candidates &= ~(u64{1} << this_cpu().id);
  if (candidates == 0) return;
  const auto id = static_cast<unsigned>(__builtin_ctzll(candidates));
  kicked_mask.fetch_or(u64{1} << id, std::memory_order_relaxed);
  poke(*arch::cpu_at(id));
}

// The slice timer fires at `when` (cycles) or before.
void arm_slice_at(RunQueue& q, u64 when, u64 now) {
  if (q.slice.armed() && static_cast<i64>(q.slice_due - when) <= 0) return;
  q.slice_due = when;
  const u64 rest = static_cast<i64>(when - now) > 0 ? when - now : 0;
  q.slice.arm(time::monotonic_ns() + time::cycles_to_ns(rest));
}

void on_slice(time::Timer&, void*) {
  Cpu& cpu = this_cpu();
  RunQueue& q = *cpu.run_queue;
  if (q.length.load(std::memory_order_relaxed) == 0) return;
  kick_idle();
  const u64 now = arch::read_cycle_counter();
  if (static_cast<i64>(now - cpu.current->slice_end) >= 0)
    cpu.need_resched.store(true, std::memory_order_relaxed);
  else
    arm_slice_at(q, cpu.current->slice_end, now);
}

// Someone waits behind the running thread: make sure that its turn comes.
void arm_slice(Cpu& cpu, u64 now) {
  if (cpu.idle) return;
  u64 when = cpu.current->slice_end;
  const bool helpers = (idle_mask.load(std::memory_order_relaxed) & ~(u64{1} << cpu.id)) != 0;
  if (helpers && static_cast<i64>(when - (now + spans.steal_delay)) > 0) when = now + spans.steal_delay;
  arm_slice_at(*cpu.run_queue, when, now);
}

u64 paced(u64 cycles, u32 pace) {
  return pace == kUnitPace ? cycles : static_cast<u64>((static_cast<unsigned __int128>(cycles) * pace) >> 16);
}

// The running thread's virtual time, as it is now.
u64 running_virtual_time(const RunQueue& q, u64 now) {
  const u64 since = q.running_since.load(std::memory_order_relaxed);
  const u64 ran = static_cast<i64>(now - since) > 0 ? now - since : 0;
  return q.running_time.load(std::memory_order_relaxed) + paced(ran, q.running_pace.load(std::memory_order_relaxed));
}

// Virtual time is told by each queue's own clock: a thread that moves keeps its distance to the others.
void settle(Thread& t, unsigned cpu) {
  const unsigned home = t.home.load(std::memory_order_relaxed);
  if (home != cpu) {
    t.virtual_time += queue_of(cpu).ready.base() - queue_of(home).ready.base();
    t.home.store(cpu, std::memory_order_relaxed);
  }
}

enum class Why : u8 { kWoken, kNew, kPreempted };

void put(RunQueue& q, Thread& t, Place place) {
  ASSERT(!t.queued);
  t.queued = true;
  t.state.store(ThreadState::kRunnable, std::memory_order_release);
  q.ready.insert(t, place);
  q.length.store(q.length.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Does the thread that was just queued on the processor go before the one that runs there? Where it does, that one is
// told so; where the thread that runs has itself done the waking, it gets a little longer.
void preempt_for(const Thread& t, Cpu& cpu, u64 running, u64 now) {
  RunQueue& q = *cpu.run_queue;
  const int priority = q.running_priority.load(std::memory_order_relaxed);
  if (priority < 0) {
    if (&cpu != &this_cpu()) poke(cpu);
    return;
  }
  const bool here = &cpu == &this_cpu();
  if (t.priority != 0 || priority != 0) {
    if (t.priority > priority)
      poke(cpu);
    else if (here)
      arm_slice(cpu, now);
    return;
  }
  const bool before = t.policy != Policy::kBatch && t.policy != Policy::kIdle &&
                      static_cast<i64>(running - t.virtual_time) > static_cast<i64>(spans.margin);
  if (!here) {
    if (before || q.length.load(std::memory_order_relaxed) == 1) poke(cpu);
    return;
  }
  if (before) {
    if (cpu.in_interrupt) {
      poke(cpu);
      return;
    }
    Thread& current = *cpu.current;
    if (static_cast<i64>(current.slice_end - (now + spans.hand_over)) > 0) current.slice_end = now + spans.hand_over;
  }
  arm_slice(cpu, now);
}

void enqueue(Thread& t, unsigned cpu_id, Why why) {
  Cpu& cpu = *arch::cpu_at(cpu_id);
  RunQueue& q = *cpu.run_queue;
  const u64 now = arch::read_cycle_counter();
  u64 running = 0;
  {
    LockGuard guard(q.lock);
    settle(t, cpu_id);
    if (why != Why::kPreempted) {
      running = running_virtual_time(q, now);
      if (q.length.load(std::memory_order_relaxed) == 0 && q.running_priority.load(std::memory_order_relaxed) == 0)
        q.ready.advance(running);
      const u64 earliest = q.ready.base() - (why == Why::kWoken ? spans.credit : 0);
      if (static_cast<i64>(t.virtual_time - earliest) < 0) t.virtual_time = earliest;
    }
    put(q, t, Place::kLast);
  }
  preempt_for(t, cpu, running, now);
}

// Real-time threads leave a part of each period to the others.
bool real_time_allowed(RunQueue& q, u64 now) {
  if (now - q.real_time_begin >= spans.real_time_period) {
    q.real_time_begin = now;
    q.real_time_used = 0;
  }
  return q.real_time_used < spans.real_time_budget;
}

Thread* take_from(RunQueue& q, unsigned for_cpu, bool stealing, u64 now) {
  if (q.length.load(std::memory_order_acquire) == 0) return nullptr;
  LockGuard guard(q.lock);
  Cpu& cpu = this_cpu();
  const bool kernel_only = bandwidth::throttled();
  bool leaving = false;  // a thread that another processor has not left yet goes before what is found
  auto accepts = [&](const Thread& t) {
    if (!may_run(t, for_cpu) || (kernel_only && !t.is_kernel())) return false;
    if (&t == cpu.current || !t.on_cpu.load(std::memory_order_acquire)) return true;
    leaving = true;
    return false;
  };
  Thread* t = nullptr;
  if (q.ready.has_real_time()) [[unlikely]] {
    if (!stealing && !real_time_allowed(q, now)) t = q.ready.find(accepts, false);
    if (t == nullptr) t = q.ready.find(accepts, true);
  } else {
    t = q.ready.find(accepts, false);
  }
  if (leaving && !stealing) cpu.need_resched.store(true, std::memory_order_relaxed);
  if (t == nullptr) return nullptr;
  q.ready.remove(*t);
  t->queued = false;
  q.length.store(q.length.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  if (!stealing && t->priority == 0) q.ready.advance(t->virtual_time);
  return t;
}

Thread* steal(unsigned self) {
  const unsigned total = arch::registered_cpus();
  for (unsigned i = 1; i < total; ++i) {
    const unsigned victim = (self + i) % total;
    if (arch::cpu_at(victim)->run_queue == nullptr) continue;
    if (Thread* t = take_from(queue_of(victim), self, true, 0)) {
      settle(*t, self);
      return t;
    }
  }
  return nullptr;
}

// Adds the stretch that ends now to what the thread has used.
void account(Cpu& cpu, Thread& t, u64 now) {
  const u64 used = now - t.accounted_at;
  t.user_cycles += used;
  t.accounted_at = now;
  if (bandwidth::limited() && !t.is_kernel()) [[unlikely]]
    bandwidth::charge(used);
  if (t.priority == 0)
    t.virtual_time += paced(used, t.pace);
  else
    cpu.run_queue->real_time_used += used;
}

// Gives what the running thread has used since the last tick to the program or to the kernel. Interrupts are off in the
// kernel, so a tick that came there shows as one at the very place where the program went on.
void on_tick(time::Timer&, void*) {
  Cpu& cpu = this_cpu();
  Thread& t = *cpu.current;
  if (&t == cpu.idle_thread) return;
  account(cpu, t, arch::read_cycle_counter());
  const u64 used = t.user_cycles - t.ticked_at;
  if (cpu.interrupted_at == 0 || cpu.interrupted_at == cpu.resumed_at) {
    t.user_cycles -= used;
    t.system_cycles += used;
  }
  t.ticked_at = t.user_cycles;
  cpu.run_queue->tick.arm(time::monotonic_ns() + kTickNs);
}

void begin_slice(Cpu& cpu, Thread& t, u64 now) {
  RunQueue& q = *cpu.run_queue;
  if (!q.tick.armed() && &t != cpu.idle_thread) q.tick.arm(time::monotonic_ns() + kTickNs);
  t.slice_end = now + (t.priority > 0 ? spans.round_robin : t.pace > 4 * kUnitPace ? spans.short_slice : spans.slice);
  q.running_priority.store(&t == cpu.idle_thread ? -1 : t.priority, std::memory_order_relaxed);
  q.running_time.store(t.virtual_time, std::memory_order_relaxed);
  q.running_since.store(now, std::memory_order_relaxed);
  q.running_pace.store(t.pace, std::memory_order_relaxed);
  if (q.length.load(std::memory_order_relaxed) != 0) arm_slice(cpu, now);
}

void finish_switch() {
  Cpu& cpu = this_cpu();
  Thread* previous = exchange(cpu.previous, nullptr);
  if (previous == nullptr) return;
  const bool dead = previous->state.load(std::memory_order_relaxed) == ThreadState::kDead;
  if (dead) ThreadAccess::release_stack(*previous);
  previous->on_cpu.store(false, std::memory_order_release);
  if (dead) previous->unref();
}

void switch_to(Thread& next, u64 now) {
  Cpu& cpu = this_cpu();
  Thread& previous = *cpu.current;
  if (!previous.is_kernel()) {
    arch::fpu_switch_out(previous);
    arch::save_user_bases(previous);
  }
  if (!next.is_kernel()) {
    mm::AddressSpace* space = next.process().space.get();
    if (space != cpu.space && space != nullptr) {
      space->load(cpu);
    }
    arch::load_user_bases(next);
  }
  if (cpu.debug_loaded || next.debug_armed) [[unlikely]]
    arch::debug_load(next);
  next.on_cpu.store(true, std::memory_order_relaxed);
  next.cpu.store(cpu.id, std::memory_order_relaxed);
  next.accounted_at = now;
  next.rseq_stale = true;
  cpu.current = &next;
  begin_slice(cpu, next, now);
  cpu.previous = &previous;
  const u64 top = reinterpret_cast<u64>(next.kernel_stack) + kKernelStackSize;
  cpu.kernel_stack_top = top;
  cpu.tss.rsp[0] = top;
  switch_stacks(&previous.kernel_sp, next.kernel_sp);
  finish_switch();
}

}  // namespace

extern "C" void finish_switch_first() {
  finish_switch();
}

extern "C" void user_start(TrapFrame* frame) {
  Thread& t = Thread::current();
  t.frame = frame;
  // CLONE_CHILD_SETTID: in the child's own memory, which is only now at hand. As on Linux a bad address is no error.
  if (t.set_child_tid != 0) (void)UserPtr<u32>(exchange(t.set_child_tid, u64{0})).write(raw(t.tid())).ok();
  before_user(*frame);
}

namespace {

// Runs whoever is due; the current thread, accounted until now, is queued or asleep.
void choose(Cpu& cpu, Thread& self, u64 now) {
  cpu.need_resched.store(false, std::memory_order_relaxed);
  Thread* next = take_from(*cpu.run_queue, cpu.id, false, now);
  if (next == nullptr) next = cpu.idle_thread;
  if (next == &self) return begin_slice(cpu, self, now);
  if (self.state.load(std::memory_order_relaxed) != ThreadState::kRunnable)
    ++self.voluntary_switches;
  else
    ++self.involuntary_switches;
  if (next == cpu.idle_thread) {
    sample_load(now);
    cpu.idle = true;
  } else {
    cpu.idle = false;
  }
  switch_to(*next, now);
}

// The processor with the shortest queue, where the current thread would wait much less than here; else this one.
unsigned less_loaded(const Thread& self, const Cpu& cpu) {
  unsigned best = cpu.id;
  u32 least = cpu.run_queue->length.load(std::memory_order_relaxed);
  const unsigned total = arch::registered_cpus();
  for (unsigned i = 0; i < total; ++i) {
    const RunQueue* q = arch::cpu_at(i)->run_queue;
    if (i == cpu.id || q == nullptr || !may_run(self, i)) continue;
    const u32 there = q->length.load(std::memory_order_relaxed) + (arch::cpu_at(i)->idle ? 0 : 1);
    if (there < least) {
      least = there;
      best = i;
    }
  }
  return best;
}

// The current thread's slice is over, or someone goes before it.
void preempt() {
  Cpu& cpu = this_cpu();
  Thread& self = *cpu.current;
  cpu.need_resched.store(false, std::memory_order_relaxed);
  if (&self == cpu.idle_thread) return schedule();
  const u64 now = arch::read_cycle_counter();
  account(cpu, self, now);
  if (!may_run(self, cpu.id)) {
    enqueue(self, static_cast<unsigned>(__builtin_ctzll(self.affinity)), Why::kNew);
    return choose(cpu, self, now);
  }
  const bool stands_still = bandwidth::throttled() && !self.is_kernel();
  if (cpu.run_queue->length.load(std::memory_order_relaxed) == 0 && !stands_still) return begin_slice(cpu, self, now);
  const bool slice_over = static_cast<i64>(now - self.slice_end) >= 0;
  const unsigned target = self.priority == 0 && slice_over ? less_loaded(self, cpu) : cpu.id;
  if (target != cpu.id) {
    enqueue(self, target, Why::kPreempted);
  } else {
    RunQueue& q = *cpu.run_queue;
    LockGuard guard(q.lock);
    // A real-time thread that is preempted stays first among its equals, unless it takes turns and its slice is over.
    const bool turn = self.policy == Policy::kRoundRobin && slice_over;
    put(q, self, self.priority > 0 && !turn ? Place::kFirst : Place::kLast);
  }
  choose(cpu, self, now);
}

}  // namespace

[[gnu::flatten]] void schedule() {
  Cpu& cpu = this_cpu();
  Thread& self = *cpu.current;
  const u64 now = arch::read_cycle_counter();
  account(cpu, self, now);
  choose(cpu, self, now);
}

// sched_yield(2): behind all that wait at the same priority; among those that share fairly, behind the next.
void yield() {
  Cpu& cpu = this_cpu();
  Thread& self = *cpu.current;
  if (cpu.run_queue->length.load(std::memory_order_relaxed) == 0) {
    cpu.need_resched.store(false, std::memory_order_relaxed);
    self.slice_end = arch::read_cycle_counter() + spans.slice;
    return;
  }
  if (&self == cpu.idle_thread) return schedule();
  const u64 now = arch::read_cycle_counter();
  account(cpu, self, now);
  if (may_run(self, cpu.id)) {
    RunQueue& q = *cpu.run_queue;
    LockGuard guard(q.lock);
    if (self.priority == 0) {
      const Thread* next = q.ready.find([&](const Thread& t) { return t.priority == 0; }, false);
      if (next != nullptr && static_cast<i64>(next->virtual_time - self.virtual_time) > 0)
        self.virtual_time = next->virtual_time;
    }
    put(q, self, Place::kLast);
  } else {
    enqueue(self, static_cast<unsigned>(__builtin_ctzll(self.affinity)), Why::kNew);
  }
  choose(cpu, self, now);
}

void migrate() {
  Thread& self = *this_cpu().current;
  const u64 now = arch::read_cycle_counter();
  account(this_cpu(), self, now);
  enqueue(self, static_cast<unsigned>(__builtin_ctzll(self.affinity)), Why::kNew);
  choose(this_cpu(), self, now);
}

void preempt_point() {
  arch::interrupts_on();
  asm volatile("nop");
  arch::interrupts_off();
  if (this_cpu().need_resched.load(std::memory_order_relaxed)) preempt();
}

void prepare_sleep() {
  this_cpu().current->state.store(ThreadState::kSleeping, std::memory_order_seq_cst);
}
void cancel_sleep() {
  Thread& t = *this_cpu().current;
  ThreadState expected = ThreadState::kSleeping;
  if (t.state.compare_exchange_strong(expected, ThreadState::kRunnable, std::memory_order_seq_cst)) return;
  // Woken meanwhile: it is on a queue, or about to be, and leaves.
  while (t.state.load(std::memory_order_acquire) == ThreadState::kWaking)
    arch::cpu_relax();
  schedule();
}

namespace {
// A real-time thread goes where it can run at once.
unsigned real_time_target(const Thread& t, unsigned preferred) {
  if (may_run(t, preferred) && queue_of(preferred).running_priority.load(std::memory_order_relaxed) < t.priority)
    return preferred;
  const unsigned total = arch::registered_cpus();
  unsigned best = may_run(t, preferred) ? preferred : static_cast<unsigned>(__builtin_ctzll(t.affinity));
  int least = t.priority;
  for (unsigned i = 0; i < total; ++i) {
    const RunQueue* q = arch::cpu_at(i)->run_queue;
    if (q == nullptr || !may_run(t, i)) continue;
    const int there = q->running_priority.load(std::memory_order_relaxed);
    if (there >= least) continue;
    least = there;
    best = i;
  }
  return best;
}
}  // namespace

[[gnu::flatten]] void wake(Thread& t) {
  ThreadState expected = ThreadState::kSleeping;
  if (!t.state.compare_exchange_strong(expected, ThreadState::kWaking, std::memory_order_seq_cst)) return;
  unsigned cpu = t.cpu.load(std::memory_order_relaxed);
  const unsigned here = this_cpu().id;
  // Waking from the same processor, or its own being busy elsewhere while ours is about to be free, keeps it near its
  // data.
  if (t.priority > 0)
    cpu = real_time_target(t, cpu);
  else if (!may_run(t, cpu))
    cpu = static_cast<unsigned>(__builtin_ctzll(t.affinity));
  else if (cpu != here && may_run(t, here) && !arch::cpu_at(cpu)->idle && this_cpu().idle)
    cpu = here;
  else if (cpu != here && may_run(t, here) && arch::cpu_at(cpu)->idle && !this_cpu().idle)
    cpu = here;
  enqueue(t, cpu, Why::kWoken);
}

// A new thread is likely to compute: it goes to an idle processor at once.
void enqueue_new(Thread& t) {
  unsigned cpu = this_cpu().id;
  const u64 idle = idle_mask.load(std::memory_order_relaxed) & t.affinity;
  if (idle != 0)
    cpu = static_cast<unsigned>(__builtin_ctzll(idle));
  else if (!may_run(t, cpu))
    cpu = static_cast<unsigned>(__builtin_ctzll(t.affinity));
  t.home.store(this_cpu().id, std::memory_order_relaxed);
  t.virtual_time = this_cpu().current->virtual_time;
  enqueue(t, cpu, Why::kNew);
}

void place(Thread& t) {
  const unsigned cpu = t.cpu.load(std::memory_order_relaxed);
  enqueue(t, may_run(t, cpu) ? cpu : static_cast<unsigned>(__builtin_ctzll(t.affinity)), Why::kWoken);
}

void poke(unsigned cpu) {
  poke(*arch::cpu_at(cpu));
}
RunQueue& queue_of(unsigned cpu) {
  return *arch::cpu_at(cpu)->run_queue;
}

void kick(Thread& t) {
  wake(t);
  const unsigned cpu = t.cpu.load(std::memory_order_relaxed);
  if (t.on_cpu.load(std::memory_order_acquire) && cpu != this_cpu().id)
    arch::send_ipi(arch::cpu_at(cpu)->apic_id, arch::kRescheduleVector);
}

void before_user(TrapFrame& frame) {
  Cpu* cpu = &this_cpu();
  while (true) {
    Thread& t = *cpu->current;
    if (cpu->need_resched.load(std::memory_order_relaxed)) {
      preempt();
      cpu = &this_cpu();
      continue;
    }
    const bool attention = t.attention.load(std::memory_order_relaxed) || t.work_due.load(std::memory_order_relaxed);
    // A handler's frame must hold the address that an interrupted critical section goes on at.
    if (t.rseq_address != 0 && (t.rseq_stale || attention)) {
      rseq_before_user(&frame);
      cpu = &this_cpu();
      if (t.rseq_stale) continue;
    }
    if (attention) {
      user_attention(&frame);
      cpu = &this_cpu();
      continue;
    }
    break;
  }
  arch::fpu_before_user();
  cpu->resumed_at = frame.rip;
}

namespace {
void measure_spans() {
  auto cycles = [](u64 ns) { return time::tsc_at(ns) - time::tsc_at(0); };
  spans.slice = cycles(kSliceNs);
  spans.short_slice = spans.slice / 4;
  spans.round_robin = cycles(kRoundRobinNs);
  spans.credit = cycles(3 * time::kMillisecond);
  spans.margin = cycles(time::kMillisecond);
  spans.hand_over = cycles(250'000);
  spans.steal_delay = cycles(60'000);
  spans.real_time_period = cycles(time::kSecond);
  spans.real_time_budget = cycles(950 * time::kMillisecond);
}
}  // namespace

Result<void> init_cpu(unsigned id) {
  if (spans.slice == 0) measure_spans();
  Cpu& cpu = *arch::cpu_at(id);
  auto* q = new (std::nothrow) RunQueue;
  if (q == nullptr) return Errno::NoMemory;
  new (&q->slice) time::Timer(on_slice, nullptr);
  new (&q->tick) time::Timer(on_tick, nullptr);
  auto idle = TRY(ThreadAccess::create_idle(id));
  cpu.idle_thread = idle.leak();
  cpu.current = cpu.idle_thread;
  cpu.idle = true;
  cpu.run_queue = q;
  return {};
}

void idle_loop() {
  while (true) {
    Cpu& cpu = this_cpu();
    cpu.need_resched.store(false, std::memory_order_seq_cst);
    const u64 now = arch::read_cycle_counter();
    Thread* next = take_from(*cpu.run_queue, cpu.id, false, now);
    if (next == nullptr) next = steal(cpu.id);
    if (next != nullptr) {
      sample_load(now);
      cpu.idle = false;
      switch_to(*next, now);
      this_cpu().idle = true;
      continue;
    }
    const u64 bit = u64{1} << cpu.id;
    idle_mask.fetch_or(bit, std::memory_order_seq_cst);
    kicked_mask.fetch_and(~bit, std::memory_order_seq_cst);
    cpu.idle_since = arch::read_cycle_counter();
    // Checked once more: a waker that queued before it saw the mask has set need_resched or left something in the
    // queue.
    if ((cpu.run_queue->length.load(std::memory_order_seq_cst) == 0 || bandwidth::throttled()) &&
        !cpu.need_resched.load(std::memory_order_seq_cst)) {
      halt_until_interrupt();
    } else {
      arch::cpu_relax();
    }
    cpu.idle_cycles += arch::read_cycle_counter() - cpu.idle_since;
    idle_mask.fetch_and(~bit, std::memory_order_seq_cst);
  }
}

}  // namespace uni::sched
