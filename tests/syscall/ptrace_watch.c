// SPDX-License-Identifier: Apache-2.0
// Debug registers through struct user: a watchpoint, a breakpoint, what is refused. Only in the guest: machines that
// run Linux within another kernel do not always have them.
// run: guest processes=fork cpus=2
#include "check.h"

#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static volatile long watched = 1;
static pid_t child;
static int status;
static struct user_regs_struct regs;

extern char written[], further[];
__asm__(
    ".text\n.globl body\nbody:\n  movq $5, watched(%rip)\n.globl written\nwritten:\n  nop\n"
    ".globl further\nfurther:\n  nop\n  ret\n");
void body(void);

static long debug(int number) {
  return (long)(offsetof(struct user, u_debugreg) + (size_t)number * 8);
}

static void resume(void) {
  ptrace(PTRACE_CONT, child, 0, 0);
  waitpid(child, &status, 0);
  if (WIFSTOPPED(status)) ptrace(PTRACE_GETREGS, child, 0, &regs);
}

static int code(void) {
  siginfo_t info = {0};
  ptrace(PTRACE_GETSIGINFO, child, 0, &info);
  return info.si_code;
}

static long set(int number, long value) {
  errno = 0;
  return ptrace(PTRACE_POKEUSER, child, debug(number), value) == -1 ? -errno : 0;
}

int main(void) {
  child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    body();
    int fds[2];
    pipe(fds);
    long one = 1;
    write(fds[1], &one, sizeof one);
    read(fds[0], (void*)&watched, sizeof watched);  // the kernel's own write is passed over
    _exit((int)watched);
  }
  waitpid(child, &status, 0);
  IS(set(0, -1L) == -EINVAL && set(4, 1) == -EIO && set(1, (long)&watched) == 0);
  IS(set(7, 0x00d00004) == 0 && ptrace(PTRACE_PEEKUSER, child, debug(7), 0) == 0x00d00004);
  IS(set(1, (long)&watched + 1) == -EINVAL);
  resume();
  IS(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && code() == 4 && regs.rip == (unsigned long)written);
  IS((ptrace(PTRACE_PEEKUSER, child, debug(6), 0) & 0xf) == 2);
  IS(ptrace(PTRACE_PEEKDATA, child, &watched, 0) == 5);
  IS(set(0, (long)further) == 0 && set(7, 0x00d00005) == 0);
  resume();
  IS(WIFSTOPPED(status) && code() == 4 && regs.rip == (unsigned long)further);
  resume();
  IS(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  return done();
}
