// SPDX-License-Identifier: Apache-2.0
// epoll_ctl(2), epoll_wait(2): level and edge triggers, one shot, changes, errors.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "check.h"

static int e, p[2];

static void show_wait(const char* what, int timeout) {
  struct epoll_event got[4];
  int n = epoll_wait(e, got, 4, timeout);
  printf("%s: %d", what, n);
  for (int i = 0; i < n; i++)
    printf(" [%x %lx]", got[i].events, (unsigned long)got[i].data.u64);
  SAY("%s", "");
}

static int control(int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = 0x100u + (unsigned)fd};
  return epoll_ctl(e, operation, fd, &event);
}

static void* write_later(void* unused) {
  pause_ms(50);
  write(p[1], "x", 1);
  return unused;
}

int main(void) {
  char b[16];
  e = epoll_create1(EPOLL_CLOEXEC);
  RET(e);
  pipe(p);
  show_wait("empty", 0);
  RET(control(EPOLL_CTL_ADD, p[0], EPOLLIN));
  RET(control(EPOLL_CTL_ADD, p[0], EPOLLIN));
  show_wait("nothing yet", 10);
  write(p[1], "ab", 2);
  show_wait("level", 0);
  read(p[0], b, 1);
  show_wait("level again", 0);
  read(p[0], b, 1);
  show_wait("drained", 0);
  RET(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET));
  write(p[1], "ab", 2);
  show_wait("edge", 0);
  show_wait("edge, second look", 0);
  write(p[1], "c", 1);
  show_wait("edge, more data", 0);
  RET(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET));
  show_wait("edge, after mod", 0);
  RET(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT));
  show_wait("oneshot", 0);
  show_wait("oneshot, second look", 0);
  RET(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT));
  show_wait("oneshot, armed again", 0);
  read(p[0], b, 16);
  RET(control(EPOLL_CTL_ADD, p[1], EPOLLOUT));
  show_wait("writer", 0);
  RET(control(EPOLL_CTL_DEL, p[1], 0));
  RET(control(EPOLL_CTL_DEL, p[1], 0));
  RET(control(EPOLL_CTL_MOD, p[1], EPOLLOUT));
  show_wait("writer gone", 0);
  RET(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDHUP));
  pthread_t t = start(write_later, NULL);
  show_wait("woken", 5000);
  join(t);
  read(p[0], b, 16);
  close(p[1]);
  show_wait("hang-up", 1000);
  close(p[0]);
  show_wait("closed", 0);

  // Several at once come in the order in which they became ready, and rotate.
  int v[3];
  for (int i = 0; i < 3; i++)
    v[i] = eventfd(1, EFD_NONBLOCK);
  for (int i = 0; i < 3; i++)
    control(EPOLL_CTL_ADD, v[i], EPOLLIN);
  struct epoll_event got[2];
  RET(epoll_wait(e, got, 2, 0));
  RET(epoll_wait(e, got, 2, 0));
  show_wait("three", 0);

  // epoll in epoll.
  int outer = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 1};
  RET(epoll_ctl(outer, EPOLL_CTL_ADD, e, &event));
  RET(epoll_wait(outer, got, 2, 0));
  uint64_t n;
  for (int i = 0; i < 3; i++)
    read(v[i], &n, 8);
  RET(epoll_wait(outer, got, 2, 0));
  RET(epoll_ctl(e, EPOLL_CTL_ADD, outer, &event));
  RET(epoll_ctl(e, EPOLL_CTL_ADD, e, &event));

  int f = open("/proc/self/exe", O_RDONLY);
  RET(epoll_ctl(e, EPOLL_CTL_ADD, f, &event));
  RET(epoll_ctl(e, EPOLL_CTL_ADD, 99, &event));
  RET(epoll_ctl(99, EPOLL_CTL_ADD, v[0], &event));
  RET(epoll_ctl(1, EPOLL_CTL_ADD, v[0], &event));
  RET(epoll_ctl(e, 9, v[0], &event));
  RET(epoll_ctl(e, EPOLL_CTL_ADD, v[0], NULL));
  RET(epoll_wait(e, got, 0, 0));
  RET(epoll_wait(e, got, -1, 0));
  RET(epoll_wait(99, got, 1, 0));
  RET(epoll_create1(0x1));
  RET(epoll_create(0));
  return done();
}
