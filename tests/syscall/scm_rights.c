// SPDX-License-Identifier: Apache-2.0
// unix(7), SCM_RIGHTS: descriptors sent through a socket share their open file.
#include <sys/socket.h>

#include "check.h"

static long send_fds(int to, const int* fds, int n, const char* text) {
  char control[CMSG_SPACE(8 * sizeof(int))] = {0};
  struct iovec part = {(void*)text, strlen(text)};
  struct msghdr m = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE((size_t)n * sizeof(int))};
  struct cmsghdr* c = CMSG_FIRSTHDR(&m);
  *c = (struct cmsghdr){
      .cmsg_len = CMSG_LEN((size_t)n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
  return sendmsg(to, &m, 0);
}

static long receive_fds(int from, int* fds, int* n, int flags, size_t space) {
  char text[64], control[256];
  struct iovec part = {text, sizeof text};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = space};
  long r = recvmsg(from, &m, flags);
  struct cmsghdr* c = CMSG_FIRSTHDR(&m);
  *n = 0;
  if (c && c->cmsg_type == SCM_RIGHTS) {
    *n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(c), (size_t)*n * sizeof(int));
  }
  SAY("received %ld bytes, %d descriptors, flags %x", r, *n, m.msg_flags & (MSG_CTRUNC | MSG_TRUNC));
  return r;
}

int main(void) {
  scratch();
  int s[2], fds[8], n;
  char b[16] = {0};
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  put("f", "0123456789");
  int f = open("f", O_RDONLY);
  read(f, b, 3);
  RET(send_fds(s[0], &f, 1, "take it"));
  receive_fds(s[1], fds, &n, 0, 256);
  IS(fds[0] != f);
  RET(read(fds[0], b, 3));
  SAY("%.3s", b);
  RET(lseek(f, 0, SEEK_CUR));
  RET(fcntl(fds[0], F_GETFD));
  int two[2] = {f, s[0]};
  RET(send_fds(s[0], two, 2, "two"));
  receive_fds(s[1], fds, &n, MSG_CMSG_CLOEXEC, 256);
  RET(fcntl(fds[1], F_GETFD));
  // Descriptors in flight keep a file open.
  int p[2];
  pipe(p);
  RET(send_fds(s[0], &p[1], 1, "pipe"));
  close(p[1]);
  receive_fds(s[1], fds, &n, 0, 256);
  RET(write(fds[0], "alive", 5));
  close(fds[0]);
  RET(read(p[0], b, 10));
  RET(read(p[0], b, 10));
  // Dropped, not leaked, where the receiver gives no room or closes.
  pipe(p);
  send_fds(s[0], &p[1], 1, "lost");
  close(p[1]);
  receive_fds(s[1], fds, &n, 0, 0);
  RET(read(p[0], b, 10));
  pipe(p);
  send_fds(s[0], &p[1], 1, "gone");
  close(p[1]);
  close(s[1]);
  close(s[0]);
  RET(read(p[0], b, 10));
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  int bad = 99;
  RET(send_fds(s[0], &bad, 1, "x"));
  return done();
}
