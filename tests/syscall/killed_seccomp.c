// SPDX-License-Identifier: Apache-2.0
// SECCOMP_RET_KILL_PROCESS ends the program as SIGSYS does.
// run: status=159
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "check.h"

int main(void) {
  struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog given = {4, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  RET(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &given));
  SAY("before");
  getppid();
  SAY("not reached");
  return 0;
}
