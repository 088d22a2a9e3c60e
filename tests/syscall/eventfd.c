// SPDX-License-Identifier: Apache-2.0
// eventfd2(2): counting, semaphore, non-blocking, limits, waking.
#include <poll.h>
#include <sys/eventfd.h>

#include "check.h"

static int fd;
static void* add_later(void* unused) {
  pause_ms(50);
  uint64_t v = 7;
  write(fd, &v, 8);
  return unused;
}

int main(void) {
  uint64_t v = 0;
  fd = eventfd(3, EFD_NONBLOCK);
  RET(read(fd, &v, 8));
  RET(v);
  RET(read(fd, &v, 8));
  v = 5;
  RET(write(fd, &v, 8));
  RET(write(fd, &v, 8));
  RET(read(fd, &v, 8));
  RET(v);
  RET(read(fd, &v, 4));
  RET(write(fd, &v, 4));
  v = UINT64_MAX;
  RET(write(fd, &v, 8));
  v = UINT64_MAX - 1;
  RET(write(fd, &v, 8));
  v = 1;
  RET(write(fd, &v, 8));
  struct pollfd f = {fd, POLLIN | POLLOUT, 0};
  RET(poll(&f, 1, 0));
  RET(f.revents);
  RET(read(fd, &v, 8));
  IS(v == UINT64_MAX - 1);
  f.revents = 0;
  RET(poll(&f, 1, 0));
  RET(f.revents);
  int s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
  RET(read(s, &v, 8));
  RET(v);
  RET(read(s, &v, 8));
  RET(read(s, &v, 8));
  RET(fcntl(s, F_GETFD));
  RET(eventfd(0, 0x10));
  fd = eventfd(0, 0);
  pthread_t t = start(add_later, NULL);
  RET(read(fd, &v, 8));
  RET(v);
  join(t);
  RET(lseek(fd, 0, SEEK_SET));
  return done();
}
