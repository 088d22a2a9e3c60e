// SPDX-License-Identifier: Apache-2.0
// PTRACE_TRACEME and the stops of system calls: numbers, arguments and results as the tracer sees and changes them.
// run: processes=fork
#include "check.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static pid_t child;
static int status;

static const char* what(void) {
  static char text[80];
  if (WIFEXITED(status))
    snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
  else
    snprintf(text, sizeof text, "stopped by %d, event %d", WSTOPSIG(status), status >> 16);
  return text;
}

static void next(int request) {
  ptrace(request, child, 0, 0);
  waitpid(child, &status, 0);
}

static void spawn(void (*body)(void)) {
  child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    body();
    _exit(7);
  }
  waitpid(child, &status, 0);
}

static void calls(void) {
  syscall(SYS_getppid);
  long got = syscall(SYS_getpriority, 0, 0);
  _exit(got == 42 ? 11 : 12);
}

static void nothing(void) {}

// Goes on until a system call of this number is entered.
static struct user_regs_struct* until(long number) {
  static struct user_regs_struct regs;
  do {
    next(PTRACE_SYSCALL);
    if (!WIFSTOPPED(status)) return NULL;
    ptrace(PTRACE_GETREGS, child, 0, &regs);
  } while ((long)regs.orig_rax != number || (long)regs.rax != -ENOSYS);
  return &regs;
}

int main(void) {
  spawn(calls);
  SAY("%s", what());
  RET(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD));
  struct user_regs_struct* regs = until(SYS_getppid);
  SAY("entry: %s", what());
  struct __ptrace_syscall_info info = {0};
  RET(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info));
  IS(info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_getppid && info.arch == 0xc000003e);
  IS(info.instruction_pointer == regs->rip && info.stack_pointer == regs->rsp);
  siginfo_t si;
  RET(ptrace(PTRACE_GETSIGINFO, child, 0, &si));
  SAY("signal %d, code %#x", si.si_signo, si.si_code);
  next(PTRACE_SYSCALL);
  ptrace(PTRACE_GETREGS, child, 0, regs);
  IS((pid_t)regs->rax == getpid());
  RET(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info));
  IS(info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval == getpid() && !info.exit.is_error);

  // A result that the tracer makes up.
  regs = until(SYS_getpriority);
  next(PTRACE_SYSCALL);
  ptrace(PTRACE_GETREGS, child, 0, regs);
  regs->rax = 42;
  RET(ptrace(PTRACE_SETREGS, child, 0, regs));
  next(PTRACE_CONT);
  SAY("%s", what());

  // A call that is not made, and one that becomes another.
  spawn(calls);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
  regs = until(SYS_getppid);
  regs->orig_rax = -1;
  ptrace(PTRACE_SETREGS, child, 0, regs);
  next(PTRACE_SYSCALL);
  ptrace(PTRACE_GETREGS, child, 0, regs);
  SAY("skipped: %ld", (long)regs->rax);
  regs = until(SYS_getpriority);
  regs->orig_rax = SYS_exit_group;
  regs->rdi = 23;
  ptrace(PTRACE_SETREGS, child, 0, regs);
  next(PTRACE_SYSCALL);
  SAY("%s", what());

  // Emulated calls.
  spawn(calls);
  next(PTRACE_SYSEMU);
  SAY("emulated: %s", what());
  ptrace(PTRACE_GETREGS, child, 0, regs);
  IS((long)regs->orig_rax == SYS_getppid && (long)regs->rax == -ENOSYS);
  RET(ptrace(PTRACE_KILL, child, 0, 0));
  waitpid(child, &status, 0);
  SAY("%s", what());

  // Errors.
  spawn(nothing);
  RET(ptrace(PTRACE_CONT, child, 0, 65));
  RET(ptrace(9999, child, 0, 0));
  RET(ptrace(PTRACE_PEEKUSER, child, 3, 0));
  RET(ptrace(PTRACE_CONT, 0x7ffffff, 0, 0));
  next(PTRACE_CONT);
  SAY("%s", what());
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  return done();
}
