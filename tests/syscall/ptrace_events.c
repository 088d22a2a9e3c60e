// SPDX-License-Identifier: Apache-2.0
// PTRACE_EVENT_*: what is born of a tracee is traced too, exec, exit, seccomp; threads are waited for by number.
// run: processes=exec
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int status;
static char* self;

static const char* what(int how) {
  static char text[80];
  if (WIFEXITED(how))
    snprintf(text, sizeof text, "exited %d", WEXITSTATUS(how));
  else if (WIFSIGNALED(how))
    snprintf(text, sizeof text, "killed by %d", WTERMSIG(how));
  else
    snprintf(text, sizeof text, "stopped by %d, event %d", WSTOPSIG(how), how >> 16);
  return text;
}

static pid_t spawn(void (*body)(void), long options) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    body();
    _exit(0);
  }
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, options | PTRACE_O_EXITKILL);
  return child;
}

// Waits for one, shows it and lets it go on (with the signal that it has got).
static unsigned long step(pid_t pid, const char* who, int request) {
  if (waitpid(pid, &status, __WALL) != pid) {
    SAY("%s: %s", who, error_name(errno));
    return 0;
  }
  SAY("%s: %s", who, what(status));
  unsigned long message = 0;
  if (WIFSTOPPED(status)) {
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    const int number = status >> 16 || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
    ptrace(request, pid, 0, number);
  }
  return message;
}

static void forks(void) {
  pid_t grandchild = fork();
  if (grandchild == 0) _exit(3);
  waitpid(grandchild, &status, 0);
  _exit(WEXITSTATUS(status) + 1);
}

static void vforks(void) {
  pid_t grandchild = vfork();
  if (grandchild == 0) _exit(5);
  waitpid(grandchild, &status, 0);
  _exit(WEXITSTATUS(status) + 1);
}

static void executes(void) {
  execl(self, self, "exit", NULL);
}

static void* thread_body(void* unused) {
  return unused;
}
static void makes_thread(void) {
  join(start(thread_body, NULL));
  pause_ms(200);  // the thread ends by itself, not with its process
  _exit(8);
}

static void filtered(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 77),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {4, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  long first = syscall(SYS_getppid), second = syscall(SYS_getppid);
  _exit(first == 1234 && second == -1 && errno == ENOSYS ? 9 : 10);
}

int main(int argc, char** argv) {
  self = "/proc/self/exe";
  if (argc > 1) return strcmp(argv[1], "exit") == 0 ? 6 : 1;
  (void)argv;

  SAY("fork");
  pid_t child = spawn(forks, PTRACE_O_TRACEFORK);
  ptrace(PTRACE_CONT, child, 0, 0);
  pid_t other = (pid_t)step(child, "parent", PTRACE_CONT);
  step(other, "child", PTRACE_CONT);
  step(other, "child", PTRACE_CONT);
  step(child, "parent", PTRACE_CONT);
  step(child, "parent", PTRACE_CONT);

  SAY("vfork");
  child = spawn(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
  ptrace(PTRACE_CONT, child, 0, 0);
  other = (pid_t)step(child, "parent", PTRACE_CONT);
  step(other, "child", PTRACE_CONT);
  step(other, "child", PTRACE_CONT);
  IS((pid_t)step(child, "parent", PTRACE_CONT) == other);
  step(child, "parent", PTRACE_CONT);
  step(child, "parent", PTRACE_CONT);

  SAY("a thread");
  child = spawn(makes_thread, PTRACE_O_TRACECLONE);
  ptrace(PTRACE_CONT, child, 0, 0);
  other = (pid_t)step(child, "leader", PTRACE_CONT);
  step(other, "thread", PTRACE_CONT);
  step(other, "thread", PTRACE_CONT);
  step(child, "leader", PTRACE_CONT);

  SAY("exec");
  child = spawn(executes, 0);
  ptrace(PTRACE_CONT, child, 0, 0);
  if (waitpid(child, &status, 0) == child) SAY("%s", what(status));
  siginfo_t info = {0};
  RET(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
  SAY("signal %d, code %d", info.si_signo, info.si_code);
  ptrace(PTRACE_CONT, child, 0, 0);
  step(child, "program", PTRACE_CONT);
  child = spawn(executes, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
  ptrace(PTRACE_CONT, child, 0, 0);
  IS((pid_t)step(child, "program", PTRACE_CONT) == child);
  SAY("exit message %#lx", step(child, "program", PTRACE_CONT));
  step(child, "program", PTRACE_CONT);

  SAY("seccomp");
  child = spawn(filtered, PTRACE_O_TRACESECCOMP);
  ptrace(PTRACE_CONT, child, 0, 0);
  if (waitpid(child, &status, 0) == child) SAY("%s", what(status));
  unsigned long message = 0;
  ptrace(PTRACE_GETEVENTMSG, child, 0, &message);
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, child, 0, &regs);
  SAY("message %lu, call %d", message, regs.orig_rax == SYS_getppid);
  regs.orig_rax = -1;
  regs.rax = 1234;
  ptrace(PTRACE_SETREGS, child, 0, &regs);
  ptrace(PTRACE_SETOPTIONS, child, 0, 0);
  ptrace(PTRACE_CONT, child, 0, 0);
  step(child, "filtered", PTRACE_CONT);

  SAY("seized");
  child = fork();
  if (child == 0) {
    pause();
    forks();
  }
  pause_ms(50);
  RET(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEFORK));
  kill(child, SIGUSR1);
  waitpid(child, &status, 0);
  SAY("%s", what(status));
  RET(ptrace(PTRACE_CONT, child, 0, SIGCONT));
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  SAY("%s", what(status));
  RET(waitpid(-1, &status, __WALL));
  return done();
}
