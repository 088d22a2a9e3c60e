// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// getrusage(2), times(2), wait4(2): the time in the kernel apart from the program's, and neither ever goes back.
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"

static double user_of(const struct rusage* u) {
  return (double)u->ru_utime.tv_sec + (double)u->ru_utime.tv_usec / 1e6;
}
static double system_of(const struct rusage* u) {
  return (double)u->ru_stime.tv_sec + (double)u->ru_stime.tv_usec / 1e6;
}

static int went_back;
static double last_user, last_system;
static double look(int system) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  went_back |= user_of(&u) < last_user || system_of(&u) < last_system;
  last_user = user_of(&u);
  last_system = system_of(&u);
  return system ? last_system : last_user;
}

// Computes for so long by the processor's own clock.
static volatile uint64_t sink;
static void compute(double seconds) {
  struct timespec now, start;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
  do {
    for (int i = 0; i < 200000; ++i)
      sink = sink * 31 + (uint64_t)i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
}

// Lets the kernel copy for so long.
static char block[1 << 20];
static void call(double seconds) {
  const int in = open("/dev/zero", O_RDONLY);
  struct timespec now, start;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
  do {
    for (int i = 0; i < 4; ++i)
      (void)!read(in, block, sizeof block);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    (void)look(0);
  } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
  close(in);
}

int main(void) {
  double user = look(0), system = look(1);
  compute(0.6);
  IS(look(0) - user > 0.4);
  IS(look(1) - system < 0.2);
  user = look(0);
  system = look(1);
  call(0.6);
  IS(look(1) - system > 0.3);
  IS(look(0) - user < 0.3);
  IS(!went_back);

  struct tms t;
  IS(times(&t) != (clock_t)-1 && t.tms_stime >= 30 && t.tms_utime >= 40 && t.tms_cstime == 0);
  if (fork() == 0) {
    call(0.4);
    _exit(0);
  }
  int status;
  struct rusage child;
  IS(wait4(-1, &status, 0, &child) > 0 && status == 0);
  IS(system_of(&child) > 0.2 && user_of(&child) < 0.2);
  times(&t);
  IS(t.tms_cstime >= 20);
  return 0;
}
