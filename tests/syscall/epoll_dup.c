// SPDX-License-Identifier: Apache-2.0
// epoll(7), questions 6 and 7: a registration belongs to the open file, and goes when its last descriptor does.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "check.h"

int main(void) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5}, got[4];
  int e = epoll_create1(0), v = eventfd(1, 0);
  RET(epoll_ctl(e, EPOLL_CTL_ADD, v, &event));
  int copy = dup(v);
  event.data.u64 = 6;
  RET(epoll_ctl(e, EPOLL_CTL_ADD, copy, &event));
  RET(epoll_wait(e, got, 4, 0));
  RET(close(v));
  RET(epoll_wait(e, got, 4, 0));
  RET(close(copy));
  RET(epoll_wait(e, got, 4, 0));
  // The number is free to be used again.
  v = eventfd(1, 0);
  RET(epoll_ctl(e, EPOLL_CTL_ADD, v, &event));
  RET(epoll_wait(e, got, 4, 0));
  // epoll_pwait lets a signal in for the wait only.
  sigset_t all;
  sigfillset(&all);
  RET(epoll_pwait(e, got, 4, 0, &all));
  int empty = epoll_create1(0);
  double t = seconds_now();
  RET(epoll_wait(empty, got, 4, 60));
  double took = seconds_now() - t;
  IS(took >= 0.059 && took < 5);
  return done();
}
