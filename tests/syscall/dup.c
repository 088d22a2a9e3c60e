// SPDX-License-Identifier: Apache-2.0
// dup(2), dup2(2), dup3(2), fcntl(2) F_DUPFD: shared offsets, flags, lowest numbers.
#include "check.h"

int main(void) {
  scratch();
  char b[8];
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  write(fd, "abcdefgh", 8);
  lseek(fd, 0, SEEK_SET);
  int other = dup(fd);
  RET(other);
  RET(read(fd, b, 3));
  RET(read(other, b, 2));
  SAY("%.2s", b);
  RET(dup2(fd, 20));
  RET(dup2(fd, fd));
  RET(dup2(99, 21));
  RET(dup2(99, 99));
  RET(dup2(fd, -1));
  RET(dup2(fd, 100000000));
  RET(dup3(fd, 22, O_CLOEXEC));
  RET(fcntl(22, F_GETFD));
  RET(fcntl(20, F_GETFD));
  RET(dup3(fd, fd, 0));
  RET(dup3(fd, 23, O_NONBLOCK));
  RET(fcntl(fd, F_DUPFD, 10));
  RET(fcntl(fd, F_DUPFD, 10));
  RET(fcntl(fd, F_DUPFD_CLOEXEC, 10));
  RET(fcntl(12, F_GETFD));
  RET(fcntl(fd, F_DUPFD, -1));
  RET(fcntl(fd, F_SETFD, FD_CLOEXEC));
  RET(fcntl(fd, F_GETFD));
  RET(fcntl(other, F_GETFD));
  RET(fcntl(fd, F_SETFL, O_APPEND));
  IS((fcntl(other, F_GETFL) & O_APPEND) != 0);
  RET(close(other));
  RET(dup(fd));
  RET(dup(99));
  RET(fcntl(99, F_GETFD));
  RET(fcntl(fd, 9999));
  // dup2 over an open file closes it: the pipe's reader gets end-of-file.
  int p[2];
  pipe(p);
  RET(dup2(fd, p[1]) == p[1]);
  RET(read(p[0], b, 1));
  RET(close_range(20, 30, 0));
  RET(fcntl(20, F_GETFD));
  RET(close_range(5, 3, 0));
  return done();
}
