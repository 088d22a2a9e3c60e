// SPDX-License-Identifier: Apache-2.0
// poll(2), ppoll(2), select(2), pselect(2): what is reported, and when.
#include <poll.h>
#include <sys/select.h>

#include "check.h"

static int p[2];
static volatile int alarms;
static void on_alarm(int s) {
  alarms += s == SIGALRM;
}
static void* write_later(void* unused) {
  pause_ms(50);
  write(p[1], "x", 1);
  return unused;
}
static void* signal_later(void* thread) {
  pause_ms(50);
  pthread_kill(*(pthread_t*)thread, SIGALRM);
  return NULL;
}

// A closed descriptor is EBADF within the table, whose size is a power of two that holds the highest one ever open;
// beyond it nothing is looked at. How large it is at first is inherited, so the one is made sure of here, and the other
// is far.
static void many(void) {
  static unsigned char set[131072 / 8];
  fd_set* big = (fd_set*)set;
  struct timeval now = {0, 0};
  RET(dup2(0, 200));
  RET(close(200));
  set[200 / 8] = 1;
  RET(select(201, big, NULL, NULL, &now));
  RET(select(200, big, NULL, NULL, &now));
  RET(set[200 / 8]);
  set[200 / 8] = 0;
  set[120000 / 8] = 1;
  RET(select(131072, big, NULL, NULL, &now));
  RET(set[120000 / 8]);
  int path = open(".", O_PATH);
  memset(set, 0, sizeof set);
  set[path / 8] |= (unsigned char)(1 << path % 8);
  RET(poll(&(struct pollfd){path, POLLIN, 0}, 1, 0));
  RET(select(path + 1, big, NULL, NULL, &now));
  close(path);
}

int main(void) {
  scratch();
  char b[8];
  pipe(p);
  struct pollfd f[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 7}};
  RET(poll(f, 3, 0));
  SAY("%d %d %d", f[0].revents, f[1].revents, f[2].revents);
  write(p[1], "x", 1);
  RET(poll(f, 3, 0));
  SAY("%d %d", f[0].revents, f[1].revents);
  read(p[0], b, 1);
  f[2] = (struct pollfd){99, POLLIN, 0};
  RET(poll(f, 3, -1));
  SAY("%d %d %d", f[0].revents, f[1].revents, f[2].revents);
  double t = seconds_now();
  RET(poll(f, 1, 60));
  IS(seconds_now() - t >= 0.059);
  RET(poll(NULL, 0, 5));
  RET(poll((void*)1, 1, 0));
  pthread_t th = start(write_later, NULL);
  RET(poll(f, 1, 5000));
  join(th);
  read(p[0], b, 1);
  put("file", "");
  f[0] = (struct pollfd){open("file", O_RDWR), POLLIN | POLLOUT, 0};
  RET(poll(f, 1, 0));
  RET(f[0].revents);
  struct timespec ts = {0, 1000000000};
  RET(ppoll(f, 1, &ts, NULL));

  fd_set r, w;
  FD_ZERO(&r);
  FD_ZERO(&w);
  FD_SET(p[0], &r);
  FD_SET(p[1], &w);
  struct timeval v = {0, 0};
  RET(select(p[1] + 1, &r, &w, NULL, &v));
  SAY("%d %d", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &w));
  FD_SET(p[0], &r);
  v = (struct timeval){0, 50000};
  t = seconds_now();
  RET(select(p[0] + 1, &r, NULL, NULL, &v));
  IS(seconds_now() - t >= 0.049);
  IS(v.tv_sec == 0 && v.tv_usec == 0);
  many();
  RET(select(-1, NULL, NULL, NULL, &v));
  v.tv_sec = -1;
  RET(select(0, NULL, NULL, NULL, &v));

  // A signal that is blocked outside ends the wait inside.
  sigset_t block, none;
  sigemptyset(&none);
  sigemptyset(&block);
  sigaddset(&block, SIGALRM);
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  pthread_sigmask(SIG_BLOCK, &block, NULL);
  pthread_t self = pthread_self();
  th = start(signal_later, &self);
  f[0] = (struct pollfd){p[0], POLLIN, 0};
  RET(ppoll(f, 1, NULL, &none));
  join(th);
  RET(alarms);
  th = start(signal_later, &self);
  FD_ZERO(&r);
  FD_SET(p[0], &r);
  RET(pselect(p[0] + 1, &r, NULL, NULL, NULL, &none));
  join(th);
  RET(alarms);
  close(p[1]);
  RET(poll(f, 1, 0));
  RET(f[0].revents);
  return done();
}
