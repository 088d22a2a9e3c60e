// SPDX-License-Identifier: Apache-2.0
// fcntl(2): F_SETOWN, F_SETOWN_EX, F_SETSIG, O_ASYNC; ioctl(2): FIOASYNC, SIOCSPGRP.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "check.h"

static sigset_t both;
static int expected_fd;
static void taken(const char* what) {
  struct timespec none = {0, 0};
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int number = sigtimedwait(&both, &info, &none);
  if (number < 0)
    SAY("%s: none", what);
  else if (number == SIGIO)
    SAY("%s: SIGIO, code %d", what, info.si_code);
  else
    SAY("%s: SIGRTMIN, code %d, band %ld, own fd %d", what, info.si_code, info.si_band & (POLLIN | POLLOUT),
        info.si_fd == expected_fd);
}

static volatile int handled;
static void handler(int number) {
  (void)number;
  ++handled;
}

int main(void) {
  int ends[2];
  char buffer[100];
  sigemptyset(&both);
  sigaddset(&both, SIGIO);
  sigaddset(&both, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &both, NULL);
  pipe(ends);
  RET(fcntl(ends[0], F_GETOWN));
  RET(fcntl(ends[0], F_GETSIG));
  RET(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  RET((fcntl(ends[0], F_GETFL) & O_ASYNC) != 0);
  write(ends[1], "x", 1);
  taken("no owner");
  read(ends[0], buffer, 1);
  RET(fcntl(ends[0], F_SETOWN, getpid()));
  IS(fcntl(ends[0], F_GETOWN) == getpid());
  taken("before");
  write(ends[1], "x", 1);
  taken("written");
  taken("once");
  read(ends[0], buffer, 1);
  RET(fcntl(ends[0], F_SETSIG, SIGRTMIN));
  RET(fcntl(ends[0], F_GETSIG) == SIGRTMIN);
  expected_fd = ends[0];
  write(ends[1], "x", 1);
  write(ends[1], "x", 1);
  taken("real-time");
  taken("and again");
  taken("no more");
  RET(fcntl(ends[0], F_SETSIG, 65));
  RET(fcntl(ends[0], F_SETSIG, -1));
  RET(fcntl(ends[0], F_SETSIG, 0));
  RET(fcntl(ends[0], F_SETOWN, 0));
  write(ends[1], "x", 1);
  taken("owner gone");
  RET(fcntl(ends[0], F_SETOWN, 4000000));
  RET(fcntl(ends[0], F_SETOWN, -4000000));
  struct f_owner_ex owner = {F_OWNER_TID, gettid()}, back;
  RET(fcntl(ends[0], F_SETOWN_EX, &owner));
  RET(fcntl(ends[0], F_GETOWN_EX, &back));
  IS(back.type == F_OWNER_TID && back.pid == gettid());
  write(ends[1], "x", 1);
  taken("thread");
  owner.type = 7;
  RET(fcntl(ends[0], F_SETOWN_EX, &owner));
  RET(fcntl(ends[0], F_SETOWN_EX, NULL));
  RET(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  write(ends[1], "x", 1);
  taken("switched off");

  // A handler has run when write returns.
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGIO, &action, NULL);
  sigprocmask(SIG_UNBLOCK, &both, NULL);
  int on = 1;
  RET(ioctl(ends[0], FIOASYNC, &on));
  RET((fcntl(ends[0], F_GETFL) & O_ASYNC) != 0);
  write(ends[1], "x", 1);
  RET(handled);
  on = 0;
  RET(ioctl(ends[0], FIOASYNC, &on));
  write(ends[1], "x", 1);
  RET(handled);
  sigprocmask(SIG_BLOCK, &both, NULL);

  // Sockets: the group of the caller, and their own requests.
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  int group = -getpgrp(), seen = 0;
  RET(ioctl(pair[0], SIOCSPGRP, &group));
  RET(ioctl(pair[0], SIOCGPGRP, &seen));
  IS(seen == group);
  int self = getpid();
  RET(ioctl(pair[0], FIOSETOWN, &self));
  RET(ioctl(pair[0], FIOGETOWN, &seen));
  IS(seen == self);
  on = 1;
  RET(ioctl(pair[0], FIOASYNC, &on));
  write(pair[1], "x", 1);
  taken("socket");
  int counter = eventfd(0, 0);
  RET(ioctl(counter, FIOASYNC, &on));
  RET(ioctl(ends[0], SIOCGPGRP, &seen));
  return done();
}
