// SPDX-License-Identifier: Apache-2.0
// signalfd4(2): blocked signals are read in place of being handled.
#include <poll.h>
#include <sys/signalfd.h>

#include "check.h"

static void* send_later(void* unused) {
  pause_ms(50);
  kill(getpid(), SIGUSR2);
  return unused;
}

int main(void) {
  sigset_t set;
  struct signalfd_siginfo info[3];
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  IS(fd >= 0);
  RET(read(fd, info, sizeof info[0]));
  raise(SIGUSR1);
  RET(read(fd, info, 4));
  struct pollfd f = {fd, POLLIN, 0};
  RET(poll(&f, 1, 0));
  RET(read(fd, info, sizeof info[0]));
  SAY("signal %u code %d", info[0].ssi_signo, info[0].ssi_code);
  IS(info[0].ssi_pid == (unsigned)getpid() && info[0].ssi_uid == getuid());
  union sigval value = {.sival_int = 42};
  RET(sigqueue(getpid(), SIGUSR2, value));
  kill(getpid(), SIGUSR1);
  RET(read(fd, info, sizeof info));
  SAY("%u %u, value %d code %d", info[0].ssi_signo, info[1].ssi_signo, info[1].ssi_int, info[1].ssi_code);
  RET(read(fd, info, sizeof info[0]));
  // A new mask for the same descriptor.
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGUSR2);
  RET(signalfd(fd, &only, 0) == fd);
  raise(SIGUSR1);
  RET(read(fd, info, sizeof info[0]));
  sigset_t pending;
  sigpending(&pending);
  RET(sigismember(&pending, SIGUSR1));
  fcntl(fd, F_SETFL, 0);
  pthread_t t = start(send_later, NULL);
  RET(read(fd, info, sizeof info[0]));
  RET(info[0].ssi_signo);
  join(t);
  RET(signalfd(-1, &set, 0x1));
  RET(signalfd(1, &set, 0));
  return done();
}
