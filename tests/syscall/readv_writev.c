// SPDX-License-Identifier: Apache-2.0
// readv(2), writev(2), preadv(2), preadv2(2): scattered parts, limits, flags.
#include <limits.h>
#include <sys/uio.h>

#include "check.h"

int main(void) {
  scratch();
  char a[4] = {0}, b[8] = {0};
  struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cdefg", 5}};
  struct iovec in[2] = {{a, 3}, {b, 8}};
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  RET(writev(fd, out, 3));
  RET(lseek(fd, 0, SEEK_SET));
  RET(readv(fd, in, 2));
  SAY("%.3s %.8s", a, b);
  RET(readv(fd, in, 2));
  RET(writev(fd, out, 0));
  RET(writev(fd, out, -1));
  RET(writev(fd, out, IOV_MAX + 1));
  RET(readv(fd, NULL, 1));
  struct iovec bad[2] = {{"ok", 2}, {(void*)1, 5}};
  RET(lseek(fd, 0, SEEK_SET));
  RET(writev(fd, bad, 2) != 7);
  struct iovec huge[2] = {{a, 1}, {b, (size_t)1 << 63}};
  RET(readv(fd, huge, 2));
  RET(preadv(fd, in, 2, 1));
  SAY("%.3s %.4s", a, b);
  RET(pwritev(fd, out, 3, 20));
  RET(lseek(fd, 0, SEEK_END));
  RET(preadv(fd, in, 2, -1));
  lseek(fd, 2, SEEK_SET);
  RET(preadv2(fd, in, 1, -1, 0));
  SAY("%.3s", a);
  RET(lseek(fd, 0, SEEK_CUR));
  RET(preadv2(fd, in, 1, 0, 0x4000));
  RET(writev(99, out, 1));
  return done();
}
