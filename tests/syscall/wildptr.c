// SPDX-License-Identifier: Apache-2.0
// Every system call with wild pointers in every argument: an errno or a result, never a crash of the kernel. Calls that
// would end, stop or replace this program, or wait for ever, are left out, as is what changes the machine.
// run: guest memory=128M
#include <sys/socket.h>

#include "check.h"

static const int kSkipped[] = {
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_pause,
    SYS_fork,
    SYS_vfork,
    SYS_clone,
    SYS_clone3,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_reboot,
    SYS_rt_sigsuspend,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_brk,
    SYS_arch_prctl,
    SYS_set_tid_address,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_alarm,
    SYS_setrlimit,
    SYS_prlimit64,
    SYS_close,
    SYS_close_range,
    SYS_dup2,
    SYS_dup3,
    SYS_wait4,
    SYS_waitid,
    SYS_select,
    SYS_pselect6,
    SYS_poll,
    SYS_ppoll,
    SYS_sync,
    SYS_vhangup,
    SYS_pkey_mprotect,
    SYS_execve,
    SYS_execveat,
    SYS_mmap,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_futex,
    SYS_shmat,
    SYS_remap_file_pages,
    SYS_sigaltstack,
    SYS_setitimer,
    SYS_chroot,
    SYS_pivot_root,
    SYS_madvise,
    SYS_process_madvise,
    SYS_msgrcv,
    SYS_msgsnd,
    SYS_semop,
    SYS_semtimedop,
};

int main(void) {
  static const long kWild[] = {1,
                               8,
                               0x1000,
                               -1,
                               -4096,
                               (long)0x8000000000000000,
                               (long)0xffff800000000000,
                               (long)0xffffffff80100000,
                               0x7ffffffffff8,
                               0x123456789abc,
                               (long)0xdeadbeefdeadbeef};
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, SIG_IGN);
  // Descriptor 90 is a good one that never blocks.
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
  dup2(pair[0], 90);
  long calls = 0, refused = 0;
  for (int number = 0; number <= 462; number++) {
    if (number > 334 && number < 424) continue;
    if (number % 50 == 0) SAY("from %d", number);
    int skip = 0;
    for (size_t i = 0; i < sizeof kSkipped / sizeof *kSkipped; i++)
      skip |= kSkipped[i] == number;
    if (skip) continue;
    for (size_t w = 0; w < sizeof kWild / sizeof *kWild; w++) {
      long v = kWild[w];
      // All wild; a good descriptor first; a small count; a path.
      refused += syscall(number, v, v, v, v, v, v) < 0;
      refused += syscall(number, 90, v, v, v, v, v) < 0;
      refused += syscall(number, 90, v, 8, 0, v, v) < 0;
      refused += syscall(number, AT_FDCWD, v, v, 0, 0, v) < 0;
      calls += 4;
    }
  }
  SAY("%ld calls, %ld refused", calls, refused);
  // The machine still works.
  char* p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 1, 1 << 20);
  int ends[2];
  IS(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  return refused > calls / 2 ? 0 : 1;
}
