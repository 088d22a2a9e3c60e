// SPDX-License-Identifier: Apache-2.0
// Two processors: threads run on both, and what they share stays whole.
// run: cpus=2 memory=128M guest
#include <sched.h>

#include "check.h"

static long counter;
static int seen[8];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* work(void* unused) {
  double end = seconds_now() + 0.4;
  while (seconds_now() < end) {
    for (int i = 0; i < 100; i++) {
      pthread_mutex_lock(&mutex);
      counter++;
      pthread_mutex_unlock(&mutex);
    }
    int cpu = sched_getcpu();
    if (cpu >= 0 && cpu < 8) __atomic_store_n(&seen[cpu], 1, __ATOMIC_RELAXED);
    // Memory work on both: faults, unmaps, and the shootdowns that they need.
    char* p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = p[40000] = 1;
    munmap(p, 65536);
  }
  return unused;
}

int main(void) {
  IS(sysconf(_SC_NPROCESSORS_ONLN) == 2);
  pthread_t t[4];
  for (int i = 0; i < 4; i++)
    t[i] = start(work, NULL);
  for (int i = 0; i < 4; i++)
    join(t[i]);
  IS(counter > 100 && counter % 100 == 0);
  IS(seen[0] && seen[1]);
  return done();
}
