// SPDX-License-Identifier: Apache-2.0
// Threads: creation, the first frame on their stacks, the end.
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/kernel_stack.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/sched/trace.hpp"

extern "C" void thread_start();

namespace uni {
namespace {

// The frame that switch_stacks pops, below the thread's first TrapFrame.
struct SwitchFrame {
  u64 r15, r14, r13, r12, rbx, rbp, return_address;
};

}  // namespace

TrapFrame& ThreadAccess::start_frame(Thread& t) {
  return *reinterpret_cast<TrapFrame*>(t.kernel_stack + sched::kKernelStackSize - sizeof(TrapFrame));
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
  t->kernel_stack = TRY(sched::take_stack());
  set_name(*t, name);
  prepare_stack(*t, reinterpret_cast<u64>(entry), reinterpret_cast<u64>(context));
  return t;
}

Result<RefPtr<Thread>> Thread::create_user(Process& process, const TrapFrame& frame) {
  auto* raw_thread = new (std::nothrow) Thread();
  if (raw_thread == nullptr) return Errno::NoMemory;
  auto t = RefPtr<Thread>::adopt(raw_thread);
  t->kernel_stack = TRY(sched::take_stack());
  t->fpu = ::operator new (arch::fpu_area_size(), std::align_val_t{64}, std::nothrow);
  if (t->fpu == nullptr) return Errno::NoMemory;
  arch::fpu_fill_initial(t->fpu);
  process.ref();
  t->process_ = &process;
  if (const Thread& maker = current(); !maker.is_kernel()) {
    t->seccomp_mode.store(maker.seccomp_mode.load(std::memory_order_relaxed), std::memory_order_relaxed);
    t->seccomp = maker.seccomp;
    t->seccomp_filters = maker.seccomp_filters;
    t->landlock.set(maker.landlock.get());
  }
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
  if (kernel_stack != nullptr) sched::give_stack(kernel_stack);
  ::operator delete (fpu, std::align_val_t{64});
  delete tracee.load();
  if (process_ != nullptr) process_->unref();
}

Thread& Thread::current() {
  return *arch::this_cpu().current;
}

void Thread::start() {
  ref();  // the scheduler's, dropped when it has left its stack for good
  sched::enqueue_new(*this);
}

void ThreadAccess::adopt(Thread& t, Process& process) {
  process.ref();
  t.process_ = &process;
  t.tid_ = Tid{raw(process.pid())};
}
void ThreadAccess::set_tid(Thread& t, Tid tid) {
  t.tid_ = tid;
}

void ThreadAccess::release_stack(Thread& t) {
  if (t.kernel_stack != nullptr) sched::give_stack(exchange(t.kernel_stack, nullptr));
  ::operator delete (exchange(t.fpu, nullptr), std::align_val_t{64});
}

Result<void> ThreadAccess::publish(Thread& t, Process* parent) {
  Process& p = t.process();
  t.tid_ = TRY(pids::assign(t, parent != nullptr));
  {
    LockGuard guard(p.lock);
    t.ref();
    p.threads.push_back(t);
    ++p.thread_count;
    if (p.leader == nullptr) {
      t.ref();
      p.leader = &t;
    }
  }
  if (parent != nullptr) return ProcessAccess::enter_tree(p, *parent, Pid{raw(t.tid_)});
  return {};
}

[[noreturn]] void ThreadAccess::end_kernel_part() {
  Thread::current().state.store(ThreadState::kDead, std::memory_order_relaxed);
  sched::schedule();
  __builtin_unreachable();
}

[[noreturn]] void exit_thread(int status) {
  Thread& t = Thread::current();
  t.exit_status = status;
  Process& p = t.process();
  if (p.dumping.load()) p.wait_for_dump(t);
  if (t.tracee.load() != nullptr) trace::exit_stop(t, p.exiting() ? p.exit_status() : (status & 0xff) << 8);
  thread_exit_hook(&t);
  signal::detach(t);
  bool last = false, leads = false;
  RefPtr<fs::FsContext> directories;
  {
    LockGuard guard(p.lock);
    directories = uni::move(t.own_fs);
    List<Thread, &Thread::process_node>::remove(t);
    last = --p.thread_count == 0;
    leads = p.leader == &t;
    const u64 now = arch::read_cycle_counter();
    t.user_cycles += now - exchange(t.accounted_at, now);
    p.dead_usage.add(t);
    if (p.exec_thread != nullptr && p.thread_count == 1) p.exec_queue.wake_all();
  }
  directories = {};
  trace::tracer_ends(t);
  const bool awaited = trace::thread_ended(t, p.exiting() ? p.exit_status() : (status & 0xff) << 8);
  if (last) {
    // Without exit_group the leader's status is the process's.
    if (!p.exiting()) p.begin_exit((p.leader->exit_status & 0xff) << 8);
    if (auto* hook = p.exit_hook.load(std::memory_order_acquire)) hook(p);
    Process::finish_exit(p);
  }
  if (!leads && !awaited) pids::retire_thread(t.tid(), t);
  t.unref();  // the thread list's; the scheduler's own keeps it alive until it is off its stack
  t.state.store(ThreadState::kDead, std::memory_order_relaxed);
  sched::schedule();
  __builtin_unreachable();
}

}  // namespace uni
