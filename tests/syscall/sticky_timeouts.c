// SPDX-License-Identifier: Apache-2.0
// personality(2): with STICKY_TIMEOUTS the time that is left is not written back (select(2), ppoll(2)).
// run: guest
#include <poll.h>
#include <sys/personality.h>
#include <sys/select.h>
#include "check.h"

static void caught(int number) {
  (void)number;
}

static void wait_each(int fd) {
  struct timespec long_time = {50, 7}, short_time = {0, 2000001};
  struct timeval time = {50, 7};
  struct pollfd watched = {fd, POLLIN, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  RET(syscall(SYS_select, fd + 1, &set, NULL, NULL, &time));
  SAY("%d", time.tv_sec == 50 && time.tv_usec == 7);
  RET(syscall(SYS_pselect6, fd + 1, &set, NULL, NULL, &long_time, NULL));
  SAY("%d", long_time.tv_sec == 50 && long_time.tv_nsec == 7);
  RET(syscall(SYS_ppoll, &watched, 1, &long_time, NULL, 8));
  SAY("%d", long_time.tv_sec == 50 && long_time.tv_nsec == 7);
  RET(syscall(SYS_ppoll, NULL, 0, &short_time, NULL, 8));
  SAY("%ld", short_time.tv_nsec);
  time.tv_sec = 0;
  time.tv_usec = 3000;
  RET(syscall(SYS_select, 0, NULL, NULL, NULL, &time));
  SAY("%ld", (long)time.tv_usec);
}

static void interrupted(void) {
  struct timespec time = {50, 0};
  struct sigaction action = {.sa_handler = caught, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  ualarm(20000, 0);
  RET(syscall(SYS_ppoll, NULL, 0, &time, NULL, 8));
  SAY("%d", time.tv_sec == 50);
}

int main(void) {
  int pipes[2];
  pipe(pipes);
  write(pipes[1], "x", 1);
  wait_each(pipes[0]);
  interrupted();
  RET(personality(STICKY_TIMEOUTS));
  wait_each(pipes[0]);
  interrupted();
  return done();
}
