// SPDX-License-Identifier: Apache-2.0
// clone(2), clone3(2): combinations that Linux refuses; a thread made by hand.
#include <linux/sched.h>
#include <sched.h>

#include "check.h"

static char stack[65536] __attribute__((aligned(16)));
static volatile int ran;
static int child_tid;
static int run(void* argument) {
  ran = (int)(long)argument;
  return 0;
}

int main(void) {
  RET(syscall(SYS_clone, CLONE_THREAD, stack + sizeof stack, NULL, NULL, NULL));
  RET(syscall(SYS_clone, CLONE_SIGHAND, stack + sizeof stack, NULL, NULL, NULL));
  RET(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, stack + sizeof stack, NULL, NULL, NULL));
  RET(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, stack + sizeof stack, NULL, NULL, NULL));
  struct clone_args bad = {.flags = CLONE_THREAD};
  RET(syscall(SYS_clone3, &bad, sizeof bad));
  RET(syscall(SYS_clone3, &bad, 8));
  RET(syscall(SYS_clone3, NULL, sizeof bad));
  bad = (struct clone_args){.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .stack = 1, .stack_size = 0};
  RET(syscall(SYS_clone3, &bad, sizeof bad));
  bad = (struct clone_args){.flags = CLONE_VM, .exit_signal = 200};
  RET(syscall(SYS_clone3, &bad, sizeof bad));
  child_tid = 1;
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
              CLONE_CHILD_SETTID;
  int tid = clone(run, stack + sizeof stack, flags, (void*)5, NULL, NULL, &child_tid);
  IS(tid > 0 && tid != getpid());
  // The kernel clears child_tid and wakes it when the thread has ended.
  while (__atomic_load_n(&child_tid, __ATOMIC_ACQUIRE) != 0)
    sched_yield();
  RET(ran);
  RET(syscall(SYS_set_tid_address, &child_tid) == gettid());
  RET(getpid() == gettid());
  RET(syscall(SYS_unshare, 0x1));
  return done();
}
