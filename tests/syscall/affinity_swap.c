// SPDX-License-Identifier: Apache-2.0
// run: cpus=2 processes=fork
// Threads and processes that change processors against each other: each moves to where the other one is, over and over.
#include <sched.h>
#include <sys/wait.h>

#include "check.h"

enum { kMoves = 2000 };

static int move_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set);
}

// The moves after which the caller was not where it asked to be.
static long swing(long start) {
  long astray = 0;
  for (long i = start; i < start + kMoves; i++)
    if (move_to(i & 1) || sched_getcpu() != (i & 1)) astray++;
  return astray;
}

static void* swinging(void* start) {
  return (void*)swing((long)start);
}

// Moves others while they run.
static void* pushing(void* target) {
  cpu_set_t set;
  for (long i = 0; i < kMoves; i++) {
    CPU_ZERO(&set);
    CPU_SET(i & 1, &set);
    if (sched_setaffinity(*(pid_t*)target, sizeof set, &set)) return (void*)1;
  }
  return 0;
}

int main(void) {
  pthread_t threads[2];
  for (long i = 0; i < 2; i++)
    IS(pthread_create(&threads[i], 0, swinging, (void*)i) == 0);
  long astray = 0;
  for (int i = 0; i < 2; i++) {
    void* count;
    IS(pthread_join(threads[i], &count) == 0);
    astray += (long)count;
  }
  SAY("threads: astray %ld", astray);

  pid_t children[3];
  for (long i = 0; i < 3; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(swing(i) != 0);
  }
  for (int i = 0; i < 3; i++) {
    int status;
    IS(waitpid(children[i], &status, 0) == children[i]);
    SAY("child %d: %#x", i, status);
  }

  pid_t self = getpid();
  void* failed;
  IS(pthread_create(&threads[0], 0, pushing, &self) == 0);
  for (long i = 0; i < kMoves; i++)
    sched_yield();
  IS(pthread_join(threads[0], &failed) == 0);
  SAY("pushed: %s", failed ? "failed" : "always");
  return done();
}
