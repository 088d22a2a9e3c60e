// SPDX-License-Identifier: Apache-2.0
// setitimer(2), alarm(2), timer_create(2): signals from timers.
#include <sys/time.h>

#include "check.h"

static volatile int alarms, timers, value, overruns;
static void on_alarm(int s) {
  alarms += s == SIGALRM;
}
static void on_timer(int s, siginfo_t* i, void* u) {
  (void)s, (void)u;
  timers++;
  value = i->si_value.sival_int;
  overruns += i->si_code == SI_TIMER;
}

int main(void) {
  signal(SIGALRM, on_alarm);
  struct itimerval v = {.it_value = {0, 300000}}, old;
  RET(setitimer(ITIMER_REAL, &v, NULL));
  RET(getitimer(ITIMER_REAL, &old));
  IS(old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 300000);
  pause();
  RET(alarms);
  v = (struct itimerval){{0, 10000}, {0, 10000}};
  RET(setitimer(ITIMER_REAL, &v, NULL));
  while (alarms < 4)
    pause();
  v = (struct itimerval){0};
  RET(setitimer(ITIMER_REAL, &v, &old));
  RET(old.it_interval.tv_usec);
  RET(alarm(100));
  RET(alarm(0));
  RET(alarm(0));
  // Processor time: runs down only while the program works.
  signal(SIGVTALRM, on_alarm);
  signal(SIGPROF, on_alarm);
  v = (struct itimerval){.it_value = {0, 50000}};
  RET(setitimer(ITIMER_PROF, &v, NULL));
  RET(setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL));
  RET(setitimer(9, &v, NULL));
  v.it_value.tv_usec = 1000000;
  RET(setitimer(ITIMER_REAL, &v, NULL));
  timer_t t;
  struct sigaction a = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 2, &a, NULL);
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 99};
  RET(timer_create(CLOCK_MONOTONIC, &e, &t));
  struct itimerspec s = {{0, 10000000}, {0, 10000000}}, was;
  RET(timer_settime(t, 0, &s, NULL));
  while (timers < 3)
    pause_ms(5);
  RET(timer_gettime(t, &was));
  RET(was.it_interval.tv_nsec);
  RET(timer_delete(t));
  RET(value);
  IS(overruns >= 3);
  RET(timer_delete(t));
  RET(timer_create(99, &e, &t));
  e.sigev_notify = SIGEV_NONE;
  RET(timer_create(CLOCK_REALTIME, &e, &t));
  RET(timer_getoverrun(t));
  RET(timer_delete(t));
  return done();
}
