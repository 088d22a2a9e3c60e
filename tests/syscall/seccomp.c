// SPDX-License-Identifier: Apache-2.0
// seccomp(2), prctl(PR_SET_SECCOMP): filters, their actions, and that threads inherit them.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "check.h"

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n])
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)

static long install(struct sock_filter* program, size_t length, unsigned flags) {
  struct sock_fprog given = {(unsigned short)length, program};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &given);
}
#define INSTALL(program) RET(install(program, sizeof program / sizeof program[0], 0))

static volatile int trapped, trap_code, trap_error, trap_number, trap_arch;
static void on_trap(int number, siginfo_t* info, void* context) {
  (void)number;
  ucontext_t* at = context;
  trapped++;
  trap_code = info->si_code;
  trap_error = info->si_errno;
  trap_number = info->si_syscall;
  trap_arch = (int)info->si_arch;
  if (at->uc_mcontext.gregs[REG_RAX] == info->si_syscall) at->uc_mcontext.gregs[REG_RAX] = 1234;
}

static void* in_thread(void* argument) {
  (void)argument;
  RET(getppid());
  RET(prctl(PR_GET_SECCOMP));
  return NULL;
}

static void* sleeper(void* argument) {
  int* fds = argument;
  char byte;
  read(fds[0], &byte, 1);
  RET(getppid());
  return NULL;
}

int main(void) {
  RET(prctl(PR_GET_SECCOMP));
  unsigned action = SECCOMP_RET_ERRNO;
  RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  action = SECCOMP_RET_KILL_PROCESS;
  RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  action = 0x12340000;
  RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
  RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
  RET(syscall(SYS_seccomp, 77, 0, NULL));
  RET(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
  RET(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x1000, NULL));
  RET(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));

  struct sock_filter empty[] = {ANSWER(SECCOMP_RET_ALLOW)};
  RET(install(empty, 0, 0));
  RET(install(empty, 5000, 0));
  RET(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
  struct sock_filter endless[] = {LOAD(NUMBER)};
  INSTALL(endless);
  struct sock_filter beyond[] = {LOAD(64), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(beyond);
  struct sock_filter crooked[] = {LOAD(2), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(crooked);
  struct sock_filter bytes[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(bytes);
  struct sock_filter far[] = {EQUAL(1, 5, 0), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(far);
  struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(zero);
  struct sock_filter word[] = {BPF_STMT(BPF_ST, 16), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(word);
  struct sock_filter strange[] = {BPF_STMT(0xff, 0), ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(strange);

  // A thread that is there before the filter goes on without it.
  int fds[2];
  pipe(fds);
  pthread_t before = start(sleeper, fds);

  struct sock_filter refuse[] = {LOAD(offsetof(struct seccomp_data, arch)),
                                 EQUAL(AUDIT_ARCH_X86_64, 1, 0),
                                 ANSWER(SECCOMP_RET_KILL_PROCESS),
                                 LOAD(NUMBER),
                                 EQUAL(SYS_getppid, 0, 1),
                                 ANSWER(SECCOMP_RET_ERRNO | 99),
                                 EQUAL(SYS_getpgrp, 0, 1),
                                 ANSWER(SECCOMP_RET_TRAP | 7),
                                 EQUAL(SYS_getsid, 0, 1),
                                 ANSWER(SECCOMP_RET_TRACE),
                                 EQUAL(SYS_getuid, 0, 1),
                                 ANSWER(SECCOMP_RET_LOG),
                                 EQUAL(SYS_dup, 0, 3),
                                 LOAD(ARGUMENT(0)),
                                 EQUAL(777, 0, 1),
                                 ANSWER(SECCOMP_RET_ERRNO | 5000),
                                 ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(refuse);
  RET(prctl(PR_GET_SECCOMP));
  RET(getppid());
  RET(getsid(0));
  IS((long)getuid() >= 0);
  errno = 0;
  long raw = dup(777);
  SAY("%ld %d", raw, errno);
  RET(dup(778));
  struct sigaction catch = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &catch, NULL);
  RET(syscall(SYS_getpgrp));
  SAY("%d: code %d, errno %d, own number %d, x86-64 %d", trapped, trap_code, trap_error, trap_number == SYS_getpgrp,
      (unsigned)trap_arch == AUDIT_ARCH_X86_64);
  // Numbers that no call has pass the filter and are ENOSYS.
  RET(syscall(9999));
  // The strictest of two filters decides, whichever is newer.
  struct sock_filter allow[] = {LOAD(NUMBER), EQUAL(SYS_getegid, 0, 1), ANSWER(SECCOMP_RET_ERRNO | 3),
                                ANSWER(SECCOMP_RET_ALLOW)};
  struct sock_filter second[] = {LOAD(NUMBER), EQUAL(SYS_getegid, 0, 1), ANSWER(SECCOMP_RET_ALLOW),
                                 ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(allow);
  INSTALL(second);
  RET(syscall(SYS_getegid));
  RET(getppid());
  join(start(in_thread, NULL));
  // Arithmetic: the number, through every kind of instruction, comes out the same.
  struct sock_filter sums[] = {LOAD(NUMBER),
                               BPF_STMT(BPF_ST, 3),
                               BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 6),
                               BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 30),
                               BPF_STMT(BPF_MISC | BPF_TAX, 0),
                               BPF_STMT(BPF_LDX | BPF_IMM, 6),
                               BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                               BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 5),
                               BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
                               BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
                               BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0xff),
                               BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0xff),
                               BPF_STMT(BPF_ALU | BPF_NEG, 0),
                               BPF_STMT(BPF_ALU | BPF_NEG, 0),
                               BPF_STMT(BPF_LDX | BPF_MEM, 3),
                               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
                               ANSWER(SECCOMP_RET_ERRNO | 95),
                               EQUAL(SYS_umask, 0, 1),
                               ANSWER(SECCOMP_RET_ERRNO | 33),
                               ANSWER(SECCOMP_RET_ALLOW)};
  INSTALL(sums);
  RET(umask(0));
  // For all threads: the one from before has it from now on.
  RET(install(empty, 1, SECCOMP_FILTER_FLAG_TSYNC));
  write(fds[1], "x", 1);
  join(before);
  RET(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
  RET(prctl(PR_SET_SECCOMP, 77));
  return done();
}
