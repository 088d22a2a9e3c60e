// SPDX-License-Identifier: Apache-2.0
// pread(2), pwrite(2): the offset stays where it is.
#include "check.h"

int main(void) {
  scratch();
  char b[16] = {0};
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  RET(pwrite(fd, "abcdef", 6, 0));
  RET(lseek(fd, 0, SEEK_CUR));
  RET(pwrite(fd, "XY", 2, 2));
  RET(pread(fd, b, 16, 1));
  SAY("%s", b);
  RET(lseek(fd, 0, SEEK_CUR));
  RET(pread(fd, b, 4, 6));
  RET(pread(fd, b, 4, 100));
  RET(pread(fd, b, 4, -1));
  RET(pwrite(fd, b, 4, -1));
  RET(pwrite(fd, "end", 3, 10));
  memset(b, 'z', sizeof b);
  RET(pread(fd, b, 16, 0));
  IS(b[6] == 0 && b[9] == 0 && b[10] == 'e');
  int p[2];
  RET(pipe(p));
  RET(pread(p[0], b, 1, 0));
  RET(pwrite(p[1], b, 1, 0));
  RET(pread(99, b, 1, 0));
  RET(pread(fd, NULL, 1, 0));
  // Linux appends even with pwrite where O_APPEND is on (pwrite(2), BUGS).
  int a = open("f", O_RDWR | O_APPEND);
  RET(pwrite(a, "app", 3, 0));
  RET(lseek(fd, 0, SEEK_END));
  // What has no offset says so before it says what it was opened for.
  int ends[2];
  RET(pipe(ends));
  RET(pread(ends[1], ends, 1, 0));
  RET(pwrite(ends[0], ends, 1, 0));
  return done();
}
