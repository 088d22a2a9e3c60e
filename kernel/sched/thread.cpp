// SPDX-License-Identifier: Apache-2.0
// Threads: creation, stacks, the tid table, the end. Stacks lie in the kernel range with an unmapped page below each;
// they are kept for reuse and never unmapped, so no translation of them is ever stale.
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/time/posix_timers.hpp"

extern "C" void thread_start();

namespace uni {
namespace {

struct FreeStack {
  FreeStack* next;
};
constinit SpinLock stacks_lock{Rank::kSlab};
FreeStack* free_stacks = nullptr;

Result<u8*> take_stack() {
  {
    LockGuard guard(stacks_lock);
    if (free_stacks != nullptr) {
      FreeStack* s = free_stacks;
      free_stacks = s->next;
      return reinterpret_cast<u8*>(s);
    }
  }
  const u64 base = arch::reserve_kernel_range(kKernelStackSize + kPageSize) + kPageSize;
  for (usize at = 0; at < kKernelStackSize; at += kPageSize) {
    mm::Page* page = mm::alloc_page(mm::Zero::kNo);
    if (page == nullptr) return Errno::NoMemory;  // the pages so far stay with the address range: a rare, bounded loss
    TRY(arch::map_kernel_page(base + at, mm::phys_of(*page), arch::kPteWrite | arch::kPteNoExec));
  }
  return reinterpret_cast<u8*>(base);
}

void give_stack(u8* stack) {
  auto* s = reinterpret_cast<FreeStack*>(stack);
  LockGuard guard(stacks_lock);
  s->next = free_stacks;
  free_stacks = s;
}

// All threads by tid.
struct TidTable {
  Vector<Thread*> slots;
  u32 next = 1;
};
constinit SpinLock tids_lock{Rank::kLeaf};
alignas(TidTable) unsigned char tids_storage[sizeof(TidTable)];
bool tids_ready = false;
constexpr u32 kMaxTid = 32768;

TidTable& tids() {
  return *std::launder(reinterpret_cast<TidTable*>(tids_storage));
}

// The frame that switch_stacks pops, below the thread's first TrapFrame.
struct SwitchFrame {
  u64 r15, r14, r13, r12, rbx, rbp, return_address;
};

}  // namespace

TrapFrame& ThreadAccess::start_frame(Thread& t) {
  return *reinterpret_cast<TrapFrame*>(t.kernel_stack + kKernelStackSize - sizeof(TrapFrame));
}

static void prepare_stack(Thread& t, u64 entry, u64 context) {
  TrapFrame& frame = ThreadAccess::start_frame(t);
  auto* s = reinterpret_cast<SwitchFrame*>(reinterpret_cast<u8*>(&frame) - sizeof(SwitchFrame));
  *s = {};
  s->rbx = entry;
  s->r12 = context;
  s->return_address = reinterpret_cast<u64>(&thread_start);
  t.kernel_sp = reinterpret_cast<u64>(s);
}

void ThreadAccess::set_kernel_entry(Thread& t, void (*entry)(void*), void* context) {
  prepare_stack(t, reinterpret_cast<u64>(entry), reinterpret_cast<u64>(context));
}

static void set_name(Thread& t, const char* name) {
  usize i = 0;
  for (; i + 1 < sizeof t.name && name[i] != '\0'; ++i)
    t.name[i] = name[i];
  t.name[i] = '\0';
}

Result<RefPtr<Thread>> Thread::create_kernel(const char* name, void (*entry)(void*), void* context) {
  auto* raw_thread = new (std::nothrow) Thread();
  if (raw_thread == nullptr) return Errno::NoMemory;
  auto t = RefPtr<Thread>::adopt(raw_thread);
  t->kernel_stack = TRY(take_stack());
  set_name(*t, name);
  prepare_stack(*t, reinterpret_cast<u64>(entry), reinterpret_cast<u64>(context));
  return t;
}

Result<RefPtr<Thread>> Thread::create_user(Process& process, const TrapFrame& frame) {
  auto* raw_thread = new (std::nothrow) Thread();
  if (raw_thread == nullptr) return Errno::NoMemory;
  auto t = RefPtr<Thread>::adopt(raw_thread);
  t->kernel_stack = TRY(take_stack());
  t->fpu = ::operator new (arch::fpu_area_size(), std::align_val_t{64}, std::nothrow);
  if (t->fpu == nullptr) return Errno::NoMemory;
  arch::fpu_fill_initial(t->fpu);
  process.ref();
  t->process_ = &process;
  prepare_stack(*t, 0, 0);
  ThreadAccess::start_frame(*t) = frame;
  return t;
}

Result<RefPtr<Thread>> ThreadAccess::create_idle(unsigned cpu) {
  auto* raw_thread = new (std::nothrow) Thread();
  if (raw_thread == nullptr) return Errno::NoMemory;
  auto t = RefPtr<Thread>::adopt(raw_thread);
  set_name(*t, "idle");
  t->cpu = cpu;
  t->on_cpu = true;
  return t;
}

Thread::~Thread() {
  if (kernel_stack != nullptr) give_stack(kernel_stack);
  ::operator delete (fpu, std::align_val_t{64});
  if (process_ != nullptr) process_->unref();
}

Thread& Thread::current() {
  return *arch::this_cpu().current;
}

void Thread::start() {
  ref();  // the scheduler's, dropped when it has left its stack for good
  sched::enqueue_new(*this);
}

Result<void> ThreadAccess::publish(Thread& t) {
  Process& p = t.process();
  u32 tid = 0;
  {
    LockGuard guard(tids_lock);
    if (!tids_ready) {
      new (tids_storage) TidTable;
      tids_ready = true;
    }
    TidTable& table = tids();
    for (u32 tries = 0; tries < kMaxTid; ++tries) {
      if (table.next >= kMaxTid) table.next = 300;
      const u32 candidate = table.next++;
      if (candidate >= table.slots.size()) TRY(table.slots.resize(candidate + 1));
      if (table.slots[candidate] != nullptr) continue;
      table.slots[candidate] = &t;
      tid = candidate;
      break;
    }
  }
  if (tid == 0) return Errno::Again;
  t.tid_ = Tid{tid};
  LockGuard guard(p.lock);
  t.ref();
  p.threads.push_back(t);
  ++p.thread_count;
  if (p.leader == nullptr) p.leader = &t;
  return {};
}

void ThreadAccess::retire(Thread& t) {
  LockGuard guard(tids_lock);
  const u32 tid = raw(t.tid_);
  if (tid < tids().slots.size() && tids().slots[tid] == &t) tids().slots[tid] = nullptr;
}

RefPtr<Thread> Process::find_thread(Tid tid) {
  LockGuard guard(tids_lock);
  if (!tids_ready || raw(tid) >= tids().slots.size()) return {};
  Thread* t = tids().slots[raw(tid)];
  if (t == nullptr || !t->try_ref()) return {};
  return RefPtr<Thread>::adopt(t);
}

[[noreturn]] void exit_thread(int status) {
  Thread& t = Thread::current();
  t.exit_status = status;
  Process& p = t.process();
  thread_exit_hook(&t);
  signal::detach(t);
  bool last = false;
  {
    LockGuard guard(p.lock);
    List<Thread, &Thread::process_node>::remove(t);
    last = --p.thread_count == 0;
    p.dead_user_cycles += t.user_cycles;
    p.dead_system_cycles += t.system_cycles;
    if (p.leader == &t) p.leader = nullptr;
  }
  if (last) {
    time::release_timers(p);
    if (!p.exiting()) p.begin_exit((status & 0xff) << 8);
    Process::finish_exit(p);
  }
  ThreadAccess::retire(t);
  t.unref();  // the thread list's; the scheduler's own keeps it alive until it is off its stack
  t.state.store(ThreadState::kDead, std::memory_order_relaxed);
  sched::schedule();
  __builtin_unreachable();
}

}  // namespace uni
