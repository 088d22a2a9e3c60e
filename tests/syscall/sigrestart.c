// SPDX-License-Identifier: Apache-2.0
// signal(7): which calls go on after a handler with SA_RESTART, and which end with EINTR in any case.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "check.h"

static int p[2], signals, mode;
static pthread_t main_thread;
static void on_signal(int s) {
  signals += s > 0;
}

static void* disturb(void* unused) {
  pause_ms(40);
  pthread_kill(main_thread, SIGUSR1);
  pause_ms(40);
  if (mode) write(p[1], "x", 1);
  return unused;
}

static void with_flags(int flags) {
  struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(SIGUSR1, &a, NULL);
}

#define TRY(call)                       \
  do {                                  \
    signals = 0;                        \
    pthread_t t = start(disturb, NULL); \
    RET(call);                          \
    join(t);                            \
    SAY("  signals %d", signals);       \
  } while (0)

int main(void) {
  char b[4];
  main_thread = pthread_self();
  pipe(p);
  struct pollfd f = {p[0], POLLIN, 0};
  int e = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  struct timespec ts = {0, 300000000}, left = {0, 0};
  epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event);
  with_flags(SA_RESTART);
  mode = 1;
  TRY(read(p[0], b, 1));
  mode = 0;
  TRY(poll(&f, 1, 1000));
  TRY(epoll_wait(e, &event, 1, 1000));
  TRY(nanosleep(&ts, &left));
  IS(left.tv_sec == 0 && left.tv_nsec > 100000000 && left.tv_nsec < 300000000);
  TRY(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &left));
  TRY(pause());
  with_flags(0);
  TRY(read(p[0], b, 1));
  TRY(poll(&f, 1, 1000));
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  TRY(recv(s[0], b, 1, 0));
  uint32_t word = 0;
  TRY(syscall(SYS_futex, &word, 0, 0, &ts, NULL, 0));
  return done();
}
