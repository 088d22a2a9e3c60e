// SPDX-License-Identifier: Apache-2.0
// nanosleep(2), clock_nanosleep(2): lengths, absolute times, errors.
#include "check.h"

int main(void) {
  struct timespec ts = {0, 30000000}, left, now;
  double t = seconds_now();
  RET(nanosleep(&ts, &left));
  IS(seconds_now() - t >= 0.0299);
  ts = (struct timespec){0, 0};
  RET(nanosleep(&ts, NULL));
  ts = (struct timespec){0, 1000000000};
  RET(nanosleep(&ts, NULL));
  ts = (struct timespec){-1, 0};
  RET(nanosleep(&ts, NULL));
  RET(nanosleep(NULL, NULL));
  clock_gettime(CLOCK_MONOTONIC, &now);
  now.tv_nsec += 40000000;
  if (now.tv_nsec >= 1000000000) now.tv_sec++, now.tv_nsec -= 1000000000;
  t = seconds_now();
  RET(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
  double took = seconds_now() - t;
  IS(took >= 0.03 && took < 5);
  RET(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
  ts = (struct timespec){1, 0};
  RET(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
  SAY("%s", error_name(clock_nanosleep(99, 0, &ts, NULL)));
  RET(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL));
  ts = (struct timespec){0, -1};
  SAY("%s", error_name(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL)));
  RET(usleep(1000));
  return done();
}
