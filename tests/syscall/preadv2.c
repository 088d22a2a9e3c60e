// SPDX-License-Identifier: Apache-2.0
// preadv2(2), pwritev2(2): offsets and RWF_* flags.
#include <sys/socket.h>
#include <sys/uio.h>

#include "check.h"

int main(void) {
  scratch();
  put("file", "0123456789");
  int fd = open("file", O_RDWR);
  char a[4] = "", b[8] = "";
  struct iovec in[2] = {{a, 2}, {b, 3}};
  struct iovec out[1] = {{"ABC", 3}};
  RET(preadv2(fd, in, 2, 1, 0));
  SAY("%.2s %.3s", a, b);
  RET(lseek(fd, 4, SEEK_SET));
  RET(preadv2(fd, in, 2, -1, RWF_HIPRI));
  SAY("%.2s %.3s", a, b);
  RET(lseek(fd, 0, SEEK_CUR));
  RET(preadv2(fd, in, 2, -2, 0));
  RET(preadv2(fd, in, 2, 0, 0x4000));
  RET(preadv2(fd, in, 2, 0, RWF_NOWAIT));
  RET(pwritev2(fd, out, 1, 2, RWF_DSYNC));
  RET(pwritev2(fd, out, 1, 0, RWF_SYNC));
  show("file");
  RET(pwritev2(fd, out, 1, 0, RWF_APPEND));
  show("file");
  RET(lseek(fd, 1, SEEK_SET));
  RET(pwritev2(fd, out, 1, -1, RWF_APPEND));
  RET(lseek(fd, 0, SEEK_CUR));
  show("file");
  RET(pwritev2(fd, out, 1, 0, 0x4000));

  // RWF_NOWAIT on what would wait.
  int ends[2];
  pipe(ends);
  RET(preadv2(ends[0], in, 2, -1, RWF_NOWAIT));
  RET(pwritev2(ends[1], out, 1, -1, RWF_NOWAIT));
  RET(preadv2(ends[0], in, 2, -1, RWF_NOWAIT));
  RET(preadv2(ends[0], in, 2, 0, 0));
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  RET(preadv2(ends[0], in, 2, -1, RWF_NOWAIT));
  RET(pwritev2(ends[1], out, 1, -1, RWF_NOWAIT));
  RET(preadv2(ends[0], in, 2, -1, RWF_NOWAIT));
  RET(preadv2(99, in, 2, 0, 0));
  RET(preadv2(open("file", O_WRONLY), in, 2, 0, 0));
  RET(pwritev2(open("file", O_RDONLY), out, 1, 0, 0));
  RET(preadv2(open(".", O_RDONLY), in, 2, 0, 0));
  RET(preadv2(fd, in, -1, 0, 0));
  RET(preadv2(fd, NULL, 1, 0, 0));
  return done();
}
