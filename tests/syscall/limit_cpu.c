// SPDX-License-Identifier: Apache-2.0
// setrlimit(2), RLIMIT_CPU: SIGXCPU at the soft limit, which then is a second more.
#include <sys/resource.h>

#include "check.h"

static volatile sig_atomic_t seen;
static void count(int number) {
  seen += number == SIGXCPU;
}

int main(void) {
  struct rlimit limit = {1, 100};
  signal(SIGXCPU, count);
  RET(setrlimit(RLIMIT_CPU, &limit));
  while (!seen)
    ;
  RET(seen);
  RET(getrlimit(RLIMIT_CPU, &limit));
  RET(limit.rlim_cur);
  RET(limit.rlim_max);
  return done();
}
