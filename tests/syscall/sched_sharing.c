// SPDX-License-Identifier: Apache-2.0
// run: cpus=1
// Who runs: of two compute-bound threads on one processor the nicer one gets less, and a thread that slept does not
// wait behind the slices of others. Amounts are compared coarsely, so that a busy machine does not matter.
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "check.h"

static atomic_int stop, ready;
static int niceness[2];

static long long cpu_time(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void* compute(void* argument) {
  const int* mine = argument;
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), *mine);
  ready++;
  while (ready < 2)
    sched_yield();
  while (!stop)
    ;
  return (void*)cpu_time(CLOCK_THREAD_CPUTIME_ID);
}

static void race(int first, int second, long long used[2]) {
  niceness[0] = first;
  niceness[1] = second;
  stop = ready = 0;
  pthread_t t[2];
  for (int i = 0; i < 2; i++)
    t[i] = start(compute, &niceness[i]);
  const long long begin = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
  while (cpu_time(CLOCK_PROCESS_CPUTIME_ID) - begin < 600000000)
    usleep(10000);
  stop = 1;
  for (int i = 0; i < 2; i++) {
    void* got;
    pthread_join(t[i], &got);
    used[i] = (long long)got;
  }
}

int main(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof one, &one);
  for (int i = 0, kept = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &one) && kept++) CPU_CLR(i, &one);
  RET(sched_setaffinity(0, sizeof one, &one));
  long long used[2];
  race(0, 0, used);
  IS(used[0] < 3 * used[1] && used[1] < 3 * used[0]);
  race(0, 10, used);
  IS(used[0] > used[1]);
  IS(used[1] > 0);
  return done();
}
