// SPDX-License-Identifier: Apache-2.0
// sendfile(2), copy_file_range(2), splice(2), tee(2): moved without passing through the program.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "check.h"

int main(void) {
  scratch();
  char b[64] = {0};
  put("f", "0123456789abcdef");
  int in = open("f", O_RDONLY), out = open("out", O_RDWR | O_CREAT, 0644);
  off_t at = 4;
  RET(sendfile(out, in, &at, 6));
  RET(at);
  RET(lseek(in, 0, SEEK_CUR));
  RET(sendfile(out, in, NULL, 3));
  RET(lseek(in, 0, SEEK_CUR));
  RET(sendfile(out, in, NULL, 100));
  RET(sendfile(out, in, NULL, 100));
  show("out");
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  at = 0;
  RET(sendfile(s[0], in, &at, 16));
  RET(read(s[1], b, 64));
  RET(sendfile(out, s[0], NULL, 5));
  RET(sendfile(in, in, NULL, 5));
  RET(sendfile(99, in, NULL, 5));
  at = -1;
  RET(sendfile(out, in, &at, 5));
  int copy = open("copy", O_RDWR | O_CREAT, 0644);
  loff_t from = 2, to = 0;
  RET(copy_file_range(in, &from, copy, &to, 5, 0));
  SAY("%ld %ld", (long)from, (long)to);
  show("copy");
  RET(copy_file_range(in, &from, copy, &to, 5, 1));
  lseek(in, 0, SEEK_SET);
  RET(copy_file_range(in, NULL, copy, NULL, 100, 0));
  show("copy");
  int p[2], q[2];
  pipe(p);
  pipe(q);
  from = 0;
  int event = eventfd(0, 0), poll = epoll_create1(0);
  RET(splice(p[0], NULL, event, NULL, 8, 0));
  RET(splice(p[0], NULL, poll, NULL, 8, 0));
  RET(splice(event, NULL, p[1], NULL, 8, 0));
  RET(splice(in, &from, p[1], NULL, 8, 0));
  RET(tee(p[0], q[1], 4, 0));
  RET(read(p[0], b, 64));
  RET(read(q[0], b, 64));
  SAY("%.4s", b);
  write(p[1], "to file", 7);
  to = 0;
  RET(splice(p[0], NULL, out, &to, 7, 0));
  RET(pread(out, b, 7, 0));
  SAY("%.7s", b);
  RET(splice(in, NULL, out, NULL, 5, 0));
  RET(splice(p[0], NULL, q[1], NULL, 5, SPLICE_F_NONBLOCK));
  write(p[1], "between", 7);
  RET(splice(p[0], NULL, q[1], NULL, 5, SPLICE_F_NONBLOCK));
  close(q[1]);
  RET(read(q[0], b, 64));
  struct iovec v = {"vm splice", 9};
  pipe(q);
  RET(vmsplice(q[1], &v, 1, 0));
  RET(read(q[0], b, 64));
  return done();
}
