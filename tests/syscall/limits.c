// SPDX-License-Identifier: Apache-2.0
// getrlimit(2), setrlimit(2), prlimit(2), and what RLIMIT_NOFILE and RLIMIT_FSIZE do.
#include <sys/resource.h>

#include "check.h"

int main(void) {
  struct rlimit l, set;
  int all[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA,   RLIMIT_STACK,   RLIMIT_CORE,
               RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS};
  for (int i = 0; i < 10; i++)
    SAY("%d: %d %d", all[i], getrlimit(all[i], &l), l.rlim_cur <= l.rlim_max);
  RET(getrlimit(99, &l));
  RET(syscall(SYS_getrlimit, RLIMIT_STACK, NULL));
  getrlimit(RLIMIT_NOFILE, &l);
  set = (struct rlimit){16, l.rlim_max};
  RET(setrlimit(RLIMIT_NOFILE, &set));
  RET(getrlimit(RLIMIT_NOFILE, &set));
  RET(set.rlim_cur);
  int n = 0;
  while (dup(0) >= 0)
    n++;
  SAY("%s after %d", error_name(errno), n);
  RET(dup2(0, 16));
  RET(open("/", O_RDONLY));
  int p[2];
  RET(pipe(p));
  set = (struct rlimit){10, 5};
  RET(setrlimit(RLIMIT_NOFILE, &set));
  struct rlimit old;
  RET(prlimit(0, RLIMIT_STACK, NULL, &old));
  RET(prlimit(getpid(), RLIMIT_CORE, &(struct rlimit){0, 0}, &old));
  RET(prlimit(0, RLIMIT_CORE, NULL, &old));
  SAY("%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
  RET(prlimit(999999, RLIMIT_CORE, NULL, &old));
  for (int fd = 4; fd < 16; fd++)
    close(fd);
  scratch();
  signal(SIGXFSZ, SIG_IGN);
  RET(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, RLIM_INFINITY}));
  int f = open("f", O_RDWR | O_CREAT, 0644);
  char b[80] = {0};
  RET(write(f, b, 80));
  RET(write(f, b, 80));
  RET(write(f, b, 80));
  RET(ftruncate(f, 200));
  RET(setrlimit(RLIMIT_AS, &(struct rlimit){0, RLIM_INFINITY}));
  RET((long)mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  return done();
}
