// SPDX-License-Identifier: Apache-2.0
// prctl(2), arch_prctl(2), personality(2), rseq and membarrier: what runtimes ask at their start.
#include <asm/prctl.h>
#include <linux/membarrier.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "check.h"

int main(void) {
  char name[17] = "";
  RET(prctl(PR_SET_NAME, "a-name-that-is-too-long", 0, 0, 0));
  RET(prctl(PR_GET_NAME, name, 0, 0, 0));
  SAY("%s", name);
  RET(prctl(PR_SET_NAME, 1, 0, 0, 0));
  RET(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  RET(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  RET(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  RET(prctl(PR_SET_DUMPABLE, 5, 0, 0, 0));
  RET(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  RET(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  RET(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  RET(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
  int sig = 0;
  RET(prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0));
  RET(sig);
  RET(prctl(PR_SET_PDEATHSIG, 100, 0, 0, 0));
  RET(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
  RET(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  RET(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) > 0);
  RET(prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  RET(prctl(99999, 0, 0, 0, 0));
  unsigned long fs = 0, gs = 1;
  RET(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
  IS(fs == (unsigned long)pthread_self());
  RET(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
  RET(gs);
  static long words[2] = {11, 22};
  RET(syscall(SYS_arch_prctl, ARCH_SET_GS, words));
  long value;
  __asm__("movq %%gs:8, %0" : "=r"(value));
  RET(value);
  RET(syscall(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000));
  RET(syscall(SYS_arch_prctl, 0x9999, 0));
  RET(syscall(SYS_arch_prctl, ARCH_GET_FS, 1));
  RET(personality(0xffffffff));
  IS((syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0);
  RET(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  RET(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  RET(syscall(SYS_membarrier, 0x4000, 0, 0));
  return done();
}
