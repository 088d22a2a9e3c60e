// SPDX-License-Identifier: Apache-2.0
// lseek(2): the three origins, holes, and errors.
#include "check.h"

int main(void) {
  scratch();
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  RET(write(fd, "0123456789", 10));
  RET(lseek(fd, 4, SEEK_SET));
  RET(lseek(fd, 3, SEEK_CUR));
  RET(lseek(fd, -3, SEEK_CUR));
  RET(lseek(fd, -2, SEEK_END));
  RET(lseek(fd, 100, SEEK_END));
  RET(lseek(fd, -1, SEEK_SET));
  RET(lseek(fd, -1000, SEEK_CUR));
  RET(lseek(fd, 0, 99));
  RET(lseek(99, 0, SEEK_SET));
  RET(lseek(fd, 0, SEEK_CUR));
  int p[2];
  RET(pipe(p));
  RET(lseek(p[0], 0, SEEK_SET));
  RET(lseek(fd, 0, SEEK_DATA));
  RET(lseek(fd, 0, SEEK_HOLE));
  RET(lseek(fd, 10, SEEK_DATA));
  RET(lseek(fd, 10, SEEK_HOLE));
  RET(lseek(fd, 11, SEEK_HOLE));
  RET(lseek(fd, 5, SEEK_HOLE));
  RET(ftruncate(fd, 1 << 20));
  IS(lseek(fd, 0, SEEK_HOLE) <= 1 << 20);
  IS(lseek(fd, 1 << 20, SEEK_SET) == 1 << 20);
  int n = open("/dev/null", O_RDWR);
  RET(lseek(n, 5, SEEK_SET));
  int d = open("/", O_RDONLY);
  RET(lseek(d, 0, SEEK_SET));
  RET(lseek(fd, INT64_MAX, SEEK_CUR));
  return done();
}
