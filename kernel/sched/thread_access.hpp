// SPDX-License-Identifier: Apache-2.0
// Construction of threads and processes, for the scheduler, clone, fork and exec.
#pragma once

#include "kernel/sched/process.hpp"
#include "kernel/sched/thread.hpp"

namespace uni {

inline constexpr usize kKernelStackSize = 16 * kKiB;

struct ThreadAccess {
  // The thread that a processor already runs on, at boot: no stack of its own is made.
  static Result<RefPtr<Thread>> create_idle(unsigned cpu);
  // Links a thread that create_user made into its process and the tid table, so that it can be found; then start() it.
  static Result<void> publish(Thread& thread);
  static void retire(Thread& thread);
  // Makes a user thread run entry(context) in the kernel first; when that returns it enters user mode with
  // start_frame().
  static void set_kernel_entry(Thread& thread, void (*entry)(void*), void* context);
  // The registers that a not yet started thread will enter user mode with.
  static TrapFrame& start_frame(Thread& thread);
};

struct ProcessAccess {
  // A process without threads. Its first thread gets the process's pid as its tid. Errors: NoMemory, Again (pids are
  // out).
  static Result<RefPtr<Process>> create(Process* parent);
};

// What a dying thread owes its program: robust futexes and the clear_child_tid word
// (syscall-shim/linux/thread_exit.cpp).
extern "C" void thread_exit_hook(Thread* thread);

}  // namespace uni
