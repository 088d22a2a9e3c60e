// SPDX-License-Identifier: Apache-2.0
// Standard streams at the start: end-of-file on stdin, stdout and stderr writable, all three apart.
#include <poll.h>

#include "check.h"

int main(void) {
  char b[8];
  RET(read(0, b, 8));
  RET(read(0, b, 8));
  RET(write(2, "to stderr\n", 10));
  struct pollfd f[2] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
  RET(poll(f, 2, 1000));
  IS((f[0].revents & (POLLIN | POLLHUP)) != 0);
  RET(f[1].revents);
  int copy = dup(1);
  dprintf(copy, "through a copy\n");
  for (int i = 0; i < 2000; i++)
    dprintf(1, "line %d of many, so that the port's queue is filled more than once\n", i);
  RET(lseek(1, 0, SEEK_CUR));
  return done();
}
