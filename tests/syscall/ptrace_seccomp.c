// SPDX-License-Identifier: Apache-2.0
// ptrace(2) and seccomp(2): a tracer reads a tracee's filters, and keeps them from being asked.
// run: guest processes=fork
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "check.h"

#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif

static long trace(long request, pid_t pid, long address, void* data) {
  return syscall(SYS_ptrace, request, pid, address, data);
}

// Lets everything through but `number`, which fails with `error`.
static long refuse(int number, int error, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void stop_of(pid_t child) {
  int status;
  waitpid(child, &status, 0);
  SAY("stopped %d", WIFSTOPPED(status));
}

int main(void) {
  pid_t child = fork();
  if (child == 0) {
    trace(PTRACE_TRACEME, 0, 0, NULL);
    raise(SIGSTOP);
    refuse(SYS_getppid, ENOENT, 0);
    refuse(SYS_getpgid, EACCES, SECCOMP_FILTER_FLAG_LOG);
    raise(SIGSTOP);
    RET(syscall(SYS_getppid) > 0);
    RET(syscall(SYS_getpgid, 0) > 0);
    raise(SIGSTOP);
    RET(syscall(SYS_getppid));
    RET(syscall(SYS_getpgid, 0));
    _exit(0);
  }
  struct sock_filter code[8];
  stop_of(child);
  RET(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, NULL));
  trace(PTRACE_CONT, child, 0, NULL);
  stop_of(child);
  RET(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, NULL));
  for (int i = 0; i < 3; ++i) {
    memset(code, 0, sizeof code);
    RET(trace(PTRACE_SECCOMP_GET_FILTER, child, i, code));
    SAY("%d %d %x", code[1].k == SYS_getppid, code[1].k == SYS_getpgid, code[2].k);
  }
  RET(trace(PTRACE_SECCOMP_GET_FILTER, child, -1, code));
  RET(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, (void*)8));
  struct {
    uint64_t index, flags;
  } about = {0, 99};
  RET(trace(PTRACE_SECCOMP_GET_METADATA, child, sizeof about, &about));
  SAY("%lx", (long)about.flags);
  about.index = 1;
  RET(trace(PTRACE_SECCOMP_GET_METADATA, child, sizeof about, &about));
  SAY("%lx", (long)about.flags);
  RET(trace(PTRACE_SECCOMP_GET_METADATA, child, 4, &about));
  RET(trace(PTRACE_SECCOMP_GET_METADATA, child, 8, &about));
  about.index = 2;
  RET(trace(PTRACE_SECCOMP_GET_METADATA, child, sizeof about, &about));
  RET(trace(PTRACE_SETOPTIONS, child, 0, (void*)PTRACE_O_SUSPEND_SECCOMP));
  trace(PTRACE_CONT, child, 0, NULL);
  stop_of(child);
  RET(trace(PTRACE_SETOPTIONS, child, 0, (void*)0));
  trace(PTRACE_CONT, child, 0, NULL);
  waitpid(child, NULL, 0);

  // Who is not privileged, or is bound itself, may not.
  child = fork();
  if (child == 0) {
    trace(PTRACE_TRACEME, 0, 0, NULL);
    raise(SIGSTOP);
    _exit(0);
  }
  stop_of(child);
  refuse(SYS_getpgid, ENOENT, 0);
  RET(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, code));
  RET(trace(PTRACE_SETOPTIONS, child, 0, (void*)PTRACE_O_SUSPEND_SECCOMP));
  trace(PTRACE_CONT, child, 0, NULL);
  waitpid(child, NULL, 0);
  return done();
}
