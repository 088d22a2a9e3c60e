// SPDX-License-Identifier: Apache-2.0
// The calls that wildptr leaves out because they may wait or change this program: each with wild pointers where it must
// answer at once.
#include <poll.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "check.h"

int main(void) {
  const long wild[] = {8, -8, (long)0xffff800000000000, 0x7ffffffffff8};
  for (int i = 0; i < 4; i++) {
    long v = wild[i];
    SAY("pointer %d", i);
    RET(syscall(SYS_poll, v, 1, 0));
    RET(syscall(SYS_ppoll, v, 1, v, v, 8));
    RET(syscall(SYS_select, 1, v, v, v, v));
    RET(syscall(SYS_pselect6, 1, v, v, v, v, v));
    RET(syscall(SYS_rt_sigaction, SIGUSR1, v, v, 8));
    RET(syscall(SYS_rt_sigprocmask, SIG_BLOCK, v, v, 8));
    RET(syscall(SYS_rt_sigsuspend, v, 8));
    RET(syscall(SYS_sigaltstack, v, v));
    RET(syscall(SYS_futex, v, 1, 1, 0, 0, 0) >= -1);
    RET(syscall(SYS_wait4, -1, v, 0, v));
    RET(syscall(SYS_execve, v, v, v));
    RET(syscall(SYS_execve, "/proc/self/exe", v, v));
    RET(syscall(SYS_setitimer, 0, v, v));
    RET(syscall(SYS_setrlimit, 7, v));
    RET(syscall(SYS_prlimit64, 0, 7, v, v));
    RET(syscall(SYS_chroot, v));
    RET(syscall(SYS_clone3, v, 88));
    RET(syscall(SYS_rt_sigtimedwait, v, v, v, 8));
  }
  return done();
}
