// SPDX-License-Identifier: Apache-2.0
// Construction of threads and processes, for the scheduler, clone, fork and exec.
#pragma once

#include "kernel/sched/process.hpp"
#include "kernel/sched/thread.hpp"

namespace uni {

struct ThreadAccess {
  // The thread that a processor already runs on, at boot: no stack of its own is made.
  static Result<RefPtr<Thread>> create_idle(unsigned cpu);
  // Links a thread that create_user made into its process and the tid table, so that it can be found; then start() it.
  // The first thread of a process gives it its pid and makes it a child of `parent`. Errors: Again, NoMemory.
  static Result<void> publish(Thread& thread, Process* parent = nullptr);
  // Gives a thread that nobody starts to a process (init).
  static void adopt(Thread& thread, Process& process);
  static void set_tid(Thread& thread, Tid tid);
  // A dead thread that is off its stack for good keeps only its record.
  static void release_stack(Thread& thread);
  // Ends a user thread that only ever ran a kernel entry and was not published.
  [[noreturn]] static void end_kernel_part();
  // Makes a user thread run entry(context) in the kernel first; when that returns it enters user mode with
  // start_frame().
  static void set_kernel_entry(Thread& thread, void (*entry)(void*), void* context);
  // The registers that a not yet started thread will enter user mode with.
  static TrapFrame& start_frame(Thread& thread);
};

struct ProcessAccess {
  // A process without threads, in no tree yet; with a parent it has what fork(2) copies, but no memory, descriptors,
  // directories or signals. Errors: NoMemory.
  static Result<RefPtr<Process>> create(Process* parent);
  // The kernel's own process 1; once, before the first program. Errors: NoMemory.
  static Result<void> create_init();
  // ThreadAccess::publish's part for the first thread of a process: it can be found from here on.
  static Result<void> enter_tree(Process& process, Process& parent, Pid pid);
};

// What a dying thread owes its program: robust futexes and the clear_child_tid word
// (syscall-shim/linux/thread_exit.cpp).
extern "C" void thread_exit_hook(Thread* thread);

}  // namespace uni
