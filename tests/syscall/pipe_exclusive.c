// SPDX-License-Identifier: Apache-2.0
// Who is woken by a pipe: of several epoll instances with EPOLLEXCLUSIVE one, of the others all. And vmsplice(2), which
// gives as much as the pipe has room for.
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include "check.h"

static int ends[2];
static atomic_int woken, waiting;

static void* wait_for_one(void* exclusive) {
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET | (exclusive ? EPOLLEXCLUSIVE : 0)};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  waiting++;
  if (epoll_wait(epoll, &event, 1, 30000) == 1) woken++;
  close(epoll);
  return NULL;
}

static void one_byte(int expected) {
  write(ends[1], "x", 1);
  for (int i = 0; i < 200 && woken < expected; i++)
    pause_ms(20);
  pause_ms(200);
  SAY("woken: %d", woken);
  char byte;
  read(ends[0], &byte, 1);
}

int main(void) {
  pipe(ends);
  pthread_t threads[4];
  for (long i = 0; i < 4; i++)
    threads[i] = start(wait_for_one, (void*)(i < 3 ? 1L : 0L));
  while (waiting < 4)
    pause_ms(10);
  pause_ms(300);
  one_byte(2);
  one_byte(3);
  one_byte(4);
  for (int i = 0; i < 4; i++)
    join(threads[i]);
  static char big[1 << 17] __attribute__((aligned(4096)));
  struct iovec all = {big, sizeof big};
  RET(vmsplice(ends[1], &all, 1, 0));
  RET(vmsplice(ends[1], &all, 1, SPLICE_F_NONBLOCK));
  return done();
}
