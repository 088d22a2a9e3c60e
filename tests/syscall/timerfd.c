// SPDX-License-Identifier: Apache-2.0
// timerfd_create(2): one shot, periodic, absolute, reading, polling.
#include <poll.h>
#include <sys/timerfd.h>

#include "check.h"

int main(void) {
  uint64_t n = 0;
  struct itimerspec set = {.it_value = {0, 300000000}}, old;
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  IS(fd >= 0);
  RET(read(fd, &n, 8));
  RET(timerfd_settime(fd, 0, &set, NULL));
  RET(timerfd_gettime(fd, &old));
  IS(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 300000000);
  RET(read(fd, &n, 8));
  struct pollfd f = {fd, POLLIN, 0};
  RET(poll(&f, 1, 5000));
  RET(f.revents);
  RET(read(fd, &n, 8));
  RET(n);
  RET(read(fd, &n, 8));
  RET(timerfd_gettime(fd, &old));
  IS(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
  // Periodic: several expirations are read as one count.
  set = (struct itimerspec){{0, 20000000}, {0, 20000000}};
  RET(timerfd_settime(fd, 0, &set, NULL));
  pause_ms(110);
  RET(read(fd, &n, 8));
  IS(n >= 4);
  set = (struct itimerspec){0};
  RET(timerfd_settime(fd, 0, &set, &old));
  RET(old.it_interval.tv_nsec);
  RET(read(fd, &n, 8));
  // A blocking read waits; an absolute time in the past is at once.
  int b = timerfd_create(CLOCK_REALTIME, 0);
  set = (struct itimerspec){.it_value = {1, 0}};
  RET(timerfd_settime(b, TFD_TIMER_ABSTIME, &set, NULL));
  RET(read(b, &n, 8));
  RET(n);
  double t = seconds_now();
  set = (struct itimerspec){.it_value = {0, 50000000}};
  RET(timerfd_settime(b, 0, &set, NULL));
  RET(read(b, &n, 8));
  IS(seconds_now() - t >= 0.049);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  RET(timerfd_create(77, 0));
  RET(timerfd_create(CLOCK_MONOTONIC, 0x40000000));
  set.it_value.tv_nsec = 1000000000;
  RET(timerfd_settime(b, 0, &set, NULL));
  RET(timerfd_settime(99, 0, &set, NULL));
  RET(timerfd_settime(1, 0, &(struct itimerspec){0}, NULL));
  RET(read(b, &n, 4));
  return done();
}
