// SPDX-License-Identifier: Apache-2.0
// The scheduler: per-processor FIFO queues, time slices only while someone waits, stealing by idle processors.
// A thread is on at most one queue; `state` turns from kSleeping to kRunnable exactly once per wake (compare-exchange),
// and that waker queues it. A thread that is queued may still be on its old stack: whoever picks it waits for on_cpu to
// clear.
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread_access.hpp"

extern "C" void switch_stacks(uni::u64* save_sp, uni::u64 new_sp);

namespace uni::sched {

using arch::Cpu;
using arch::this_cpu;

namespace {

std::atomic<u64> idle_mask{0};
std::atomic<u64> kicked_mask{0};  // idle processors that were already told

RunQueue& queue_of(unsigned cpu) {
  return *arch::cpu_at(cpu)->run_queue;
}

bool allowed(const Thread& t, unsigned cpu) {
  return ((t.affinity >> cpu) & 1) != 0;
}

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

void on_slice(time::Timer&, void*) {
  RunQueue& q = *this_cpu().run_queue;
  if (q.length.load(std::memory_order_relaxed) == 0) return;
  kick_idle();
  Cpu& cpu = this_cpu();
  const u64 now = time::monotonic_ns();
  if (now >= cpu.current->slice_end)
    cpu.need_resched.store(true, std::memory_order_relaxed);
  else
    q.slice.arm(cpu.current->slice_end);
}

// Someone waits behind the running thread: make sure that its turn comes.
void arm_slice(Cpu& cpu) {
  RunQueue& q = *cpu.run_queue;
  if (&cpu != &this_cpu() || cpu.idle) return;
  const u64 now = time::monotonic_ns();
  const bool helpers = (idle_mask.load(std::memory_order_relaxed) & ~(u64{1} << cpu.id)) != 0;
  const u64 when =
      helpers ? min(now + kStealDelayNs, max(cpu.current->slice_end, now)) : max(cpu.current->slice_end, now);
  if (!q.slice.armed() || q.slice.deadline() > when) q.slice.arm(when);
}

void enqueue(Thread& t, unsigned cpu_id) {
  Cpu& cpu = *arch::cpu_at(cpu_id);
  RunQueue& q = *cpu.run_queue;
  {
    LockGuard guard(q.lock);
    ASSERT(!t.queued);
    t.queued = true;
    t.state.store(ThreadState::kRunnable, std::memory_order_release);
    q.runnable.push_back(t);
    if (q.length.fetch_add(1, std::memory_order_relaxed) == 0) q.oldest_ns = time::monotonic_ns();
  }
  if (&cpu != &this_cpu()) {
    if (((idle_mask.load(std::memory_order_acquire) >> cpu_id) & 1) != 0 ||
        q.length.load(std::memory_order_relaxed) == 1)
      poke(cpu);
  } else {
    arm_slice(cpu);
  }
}

Thread* take_from(RunQueue& q, unsigned for_cpu, bool stealing) {
  if (q.length.load(std::memory_order_acquire) == 0) return nullptr;
  LockGuard guard(q.lock);
  for (Thread& t : q.runnable) {
    if (!allowed(t, for_cpu)) continue;
    if (stealing && t.on_cpu.load(std::memory_order_acquire)) continue;
    List<Thread, &Thread::run_node>::remove(t);
    t.queued = false;
    q.length.fetch_sub(1, std::memory_order_relaxed);
    q.oldest_ns = time::monotonic_ns();
    return &t;
  }
  return nullptr;
}

Thread* steal(unsigned self) {
  const unsigned total = arch::registered_cpus();
  for (unsigned i = 1; i < total; ++i) {
    const unsigned victim = (self + i) % total;
    if (arch::cpu_at(victim)->run_queue == nullptr) continue;
    if (Thread* t = take_from(queue_of(victim), self, true)) return t;
  }
  return nullptr;
}

void account(Cpu& cpu, Thread& t) {
  const u64 now = arch::read_cycle_counter();
  t.user_cycles += now - t.accounted_at;
  t.accounted_at = now;
  (void)cpu;
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

void load_user_bases(Thread& next) {
  if (arch::features.fsgsbase) {
    asm volatile("wrfsbase %0" ::"r"(next.fs_base));
  } else {
    arch::wrmsr(arch::kMsrFsBase, next.fs_base);
  }
  if (next.gs_base != 0 || this_cpu().user_gs != 0) {
    arch::wrmsr(arch::kMsrKernelGsBase, next.gs_base);
    this_cpu().user_gs = next.gs_base;
  }
}

void save_user_bases(Thread& previous) {
  if (!arch::features.fsgsbase) return;
  asm volatile("rdfsbase %0" : "=r"(previous.fs_base));
  previous.gs_base = arch::rdmsr(arch::kMsrKernelGsBase);
}

void switch_to(Thread& next) {
  Cpu& cpu = this_cpu();
  Thread& previous = *cpu.current;
  while (next.on_cpu.load(std::memory_order_acquire))
    arch::cpu_relax();
  account(cpu, previous);
  if (!previous.is_kernel()) {
    arch::fpu_switch_out(previous);
    save_user_bases(previous);
  }
  if (!next.is_kernel()) {
    mm::AddressSpace* space = next.process().space.get();
    if (space != cpu.space && space != nullptr) {
      space->note_active(cpu.id);
      mm::AddressSpace* old = cpu.space;
      arch::load_root(space->root());
      cpu.space = space;
      if (old != nullptr) old->note_inactive(cpu.id);
    }
    load_user_bases(next);
  }
  next.on_cpu.store(true, std::memory_order_relaxed);
  next.cpu.store(cpu.id, std::memory_order_relaxed);
  next.accounted_at = arch::read_cycle_counter();
  next.rseq_stale = true;
  next.slice_end = time::monotonic_ns() + kSliceNs;
  cpu.current = &next;
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

void schedule() {
  Cpu& cpu = this_cpu();
  cpu.need_resched.store(false, std::memory_order_relaxed);
  Thread& self = *cpu.current;
  Thread* next = take_from(*cpu.run_queue, cpu.id, false);
  if (next == nullptr) next = cpu.idle_thread;
  if (next == &self) return;
  if (self.state.load(std::memory_order_relaxed) != ThreadState::kRunnable)
    ++self.voluntary_switches;
  else
    ++self.involuntary_switches;
  cpu.idle = next == cpu.idle_thread;
  switch_to(*next);
}

void yield() {
  Cpu& cpu = this_cpu();
  if (cpu.run_queue->length.load(std::memory_order_relaxed) == 0) {
    cpu.need_resched.store(false, std::memory_order_relaxed);
    cpu.current->slice_end = time::monotonic_ns() + kSliceNs;
    return;
  }
  Thread& self = *cpu.current;
  if (&self != cpu.idle_thread)
    enqueue(self, allowed(self, cpu.id) ? cpu.id : static_cast<unsigned>(__builtin_ctzll(self.affinity)));
  schedule();
}

void migrate() {
  Thread& self = *this_cpu().current;
  enqueue(self, static_cast<unsigned>(__builtin_ctzll(self.affinity)));
  schedule();
}

void preempt_point() {
  arch::interrupts_on();
  asm volatile("nop");
  arch::interrupts_off();
  if (this_cpu().need_resched.load(std::memory_order_relaxed)) yield();
}

void prepare_sleep() {
  this_cpu().current->state.store(ThreadState::kSleeping, std::memory_order_seq_cst);
}
void cancel_sleep() {
  Thread& t = *this_cpu().current;
  ThreadState expected = ThreadState::kSleeping;
  if (t.state.compare_exchange_strong(expected, ThreadState::kRunnable, std::memory_order_seq_cst)) return;
  // Woken meanwhile: it is on a queue, or another processor has picked it and waits for this stack. Either way it
  // leaves.
  while (t.state.load(std::memory_order_acquire) == ThreadState::kWaking)
    arch::cpu_relax();
  schedule();
}

void wake(Thread& t) {
  ThreadState expected = ThreadState::kSleeping;
  if (!t.state.compare_exchange_strong(expected, ThreadState::kWaking, std::memory_order_seq_cst)) return;
  unsigned cpu = t.cpu.load(std::memory_order_relaxed);
  const unsigned here = this_cpu().id;
  // Waking from the same processor, or its own being busy elsewhere while ours is about to be free, keeps it near its
  // data.
  if (!allowed(t, cpu))
    cpu = static_cast<unsigned>(__builtin_ctzll(t.affinity));
  else if (cpu != here && allowed(t, here) && !arch::cpu_at(cpu)->idle && this_cpu().idle)
    cpu = here;
  else if (cpu != here && allowed(t, here) && arch::cpu_at(cpu)->idle && !this_cpu().idle)
    cpu = here;
  enqueue(t, cpu);
}

void enqueue_new(Thread& t) {
  unsigned cpu = this_cpu().id;
  if (!allowed(t, cpu)) cpu = static_cast<unsigned>(__builtin_ctzll(t.affinity));
  enqueue(t, cpu);
}

void kick(Thread& t) {
  wake(t);
  const unsigned cpu = t.cpu.load(std::memory_order_relaxed);
  if (t.on_cpu.load(std::memory_order_acquire) && cpu != this_cpu().id)
    arch::send_ipi(arch::cpu_at(cpu)->apic_id, arch::kRescheduleVector);
}

Wake sleep_until(u64 deadline, Sleep how) {
  WaitQueue nobody;
  return nobody.wait([] { return false; }, deadline, how);
}

unsigned cpu_count() {
  return arch::registered_cpus();
}
unsigned current_cpu() {
  return this_cpu().id;
}

u64 idle_cycles(unsigned cpu) {
  const Cpu& c = *arch::cpu_at(cpu);
  return c.idle_cycles + (c.idle ? arch::read_cycle_counter() - c.idle_since : 0);
}

LoadAverage load_average() {
  return {};
}

void account_user_exit() {}

void before_user(TrapFrame& frame) {
  Cpu* cpu = &this_cpu();
  while (true) {
    Thread& t = *cpu->current;
    if (cpu->need_resched.load(std::memory_order_relaxed)) {
      yield();
      cpu = &this_cpu();
      continue;
    }
    const bool attention = t.attention.load(std::memory_order_relaxed);
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
}

Result<void> init_cpu(unsigned id) {
  Cpu& cpu = *arch::cpu_at(id);
  auto* q = new (std::nothrow) RunQueue;
  if (q == nullptr) return Errno::NoMemory;
  new (&q->slice) time::Timer(on_slice, nullptr);
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
    Thread* next = take_from(*cpu.run_queue, cpu.id, false);
    if (next == nullptr) next = steal(cpu.id);
    if (next != nullptr) {
      cpu.idle = false;
      switch_to(*next);
      this_cpu().idle = true;
      continue;
    }
    const u64 bit = u64{1} << cpu.id;
    idle_mask.fetch_or(bit, std::memory_order_seq_cst);
    kicked_mask.fetch_and(~bit, std::memory_order_seq_cst);
    cpu.idle_since = arch::read_cycle_counter();
    // Checked once more: a waker that queued before it saw the mask has set need_resched or left something in the
    // queue.
    if (cpu.run_queue->length.load(std::memory_order_seq_cst) == 0 &&
        !cpu.need_resched.load(std::memory_order_seq_cst)) {
      asm volatile("sti; hlt; cli" ::: "memory");
    }
    cpu.idle_cycles += arch::read_cycle_counter() - cpu.idle_since;
    idle_mask.fetch_and(~bit, std::memory_order_seq_cst);
  }
}

}  // namespace uni::sched
