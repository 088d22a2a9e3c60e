// SPDX-License-Identifier: Apache-2.0
// clock_gettime(2), clock_getres(2), gettimeofday(2), time(2): every clock, its order with itself and with others.
#include <sys/time.h>
#include <sys/times.h>

#include "check.h"

static double get(clockid_t clock) {
  struct timespec t = {-1, -1};
  if (syscall(SYS_clock_gettime, clock, &t)) return -1;
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void) {
  struct timespec a, b, r;
  int back = 0;
  for (int i = 0; i < 20000; i++) {
    clock_gettime(CLOCK_MONOTONIC, &a);
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec)) back++;
    if (a.tv_nsec < 0 || a.tv_nsec > 999999999) back++;
  }
  RET(back);
  int clocks[] = {CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
                  CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                  CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
  for (int i = 0; i < 9; i++) {
    double first = get(clocks[i]), second = get(clocks[i]);
    SAY("clock %d: there %d, forward %d, resolution %d", clocks[i], first >= 0, second >= first,
        clock_getres(clocks[i], &r) == 0 && r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec <= 10000000);
  }
  // The vDSO and the system call tell one time.
  double v, s, w;
  clock_gettime(CLOCK_MONOTONIC, &a);
  v = (double)a.tv_sec + (double)a.tv_nsec / 1e9;
  s = get(CLOCK_MONOTONIC);
  clock_gettime(CLOCK_MONOTONIC, &a);
  w = (double)a.tv_sec + (double)a.tv_nsec / 1e9;
  IS(v <= s && s <= w && w - v < 1);
  clock_gettime(CLOCK_REALTIME, &a);
  v = (double)a.tv_sec + (double)a.tv_nsec / 1e9;
  s = get(CLOCK_REALTIME);
  IS(s >= v && s - v < 1);
  struct timeval tv;
  RET(gettimeofday(&tv, NULL));
  time_t now = time(NULL);
  IS(llabs((long long)now - tv.tv_sec) <= 1 && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
  IS(now > 1700000000 && now < 4000000000);
  struct timeval stv;
  RET(syscall(SYS_gettimeofday, &stv, NULL));
  IS(llabs((long long)stv.tv_sec - tv.tv_sec) <= 1);
  // Processor time passes while the program works, and not while it sleeps.
  double c = get(CLOCK_PROCESS_CPUTIME_ID);
  pause_ms(100);
  IS(get(CLOCK_PROCESS_CPUTIME_ID) - c < 0.08);
  double end = seconds_now() + 0.15;
  c = get(CLOCK_THREAD_CPUTIME_ID);
  while (seconds_now() < end) {
  }
  IS(get(CLOCK_THREAD_CPUTIME_ID) - c > 0.01);
  struct tms tms;
  IS(times(&tms) != -1);
  RET(clock_gettime(77, &a));
  RET(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 1));
  RET(clock_getres(77, &a));
  clockid_t mine;
  RET(clock_getcpuclockid(0, &mine));
  RET(clock_gettime(mine, &a));
  return done();
}
