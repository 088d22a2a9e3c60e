// SPDX-License-Identifier: Apache-2.0
// UDP over loopback: datagrams keep their bounds; connect, truncation, peer addresses, errors.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static int open_any(struct sockaddr_in* a) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  socklen_t size = sizeof *a;
  *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  bind(fd, (void*)a, sizeof *a);
  getsockname(fd, (void*)a, &size);
  return fd;
}

int main(void) {
  struct sockaddr_in a, b, from;
  socklen_t size = sizeof from;
  char buffer[70000] = {0};
  int x = open_any(&a), y = open_any(&b);
  IS(x >= 0 && y >= 0 && a.sin_port != b.sin_port);
  RET(sendto(x, "first", 5, 0, (void*)&b, sizeof b));
  RET(sendto(x, "second!", 7, 0, (void*)&b, sizeof b));
  RET(sendto(x, "", 0, 0, (void*)&b, sizeof b));
  struct pollfd f = {y, POLLIN, 0};
  RET(poll(&f, 1, 2000));
  RET(recvfrom(y, buffer, sizeof buffer, 0, (void*)&from, &size));
  SAY("%s %u %d", buffer, size, from.sin_port == a.sin_port);
  RET(recv(y, buffer, 3, MSG_TRUNC));
  RET(poll(&f, 1, 2000));
  RET(recv(y, buffer, 3, 0));
  RET(recv(y, buffer, 3, MSG_DONTWAIT));
  RET(sendto(x, "peek", 4, 0, (void*)&b, sizeof b));
  poll(&f, 1, 2000);
  RET(recv(y, buffer, 10, MSG_PEEK));
  struct iovec parts[2] = {{buffer, 2}, {buffer + 10, 2}};
  struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = parts, .msg_iovlen = 2};
  RET(recvmsg(y, &m, 0));
  SAY("%.2s %.2s %u %x", buffer, buffer + 10, m.msg_namelen, m.msg_flags);
  sendto(x, "too long", 8, 0, (void*)&b, sizeof b);
  poll(&f, 1, 2000);
  RET(recvmsg(y, &m, 0));
  SAY("%x", m.msg_flags & MSG_TRUNC);
  RET(send(x, "x", 1, 0));
  RET(connect(x, (void*)&b, sizeof b));
  RET(send(x, "connected", 9, 0));
  poll(&f, 1, 2000);
  RET(read(y, buffer, 100));
  size = sizeof from;
  RET(getpeername(x, (void*)&from, &size));
  // A connected socket hears its peer only.
  struct sockaddr_in c;
  int z = open_any(&c);
  sendto(z, "stranger", 8, 0, (void*)&a, sizeof a);
  sendto(y, "friend", 6, 0, (void*)&a, sizeof a);
  f.fd = x;
  RET(poll(&f, 1, 2000));
  RET(recv(x, buffer, 100, 0));
  RET(recv(x, buffer, 100, MSG_DONTWAIT));
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  RET(connect(x, &none, sizeof none));
  RET(send(x, "x", 1, 0));
  memset(buffer, 'L', sizeof buffer);
  RET(sendto(x, buffer, 65507, 0, (void*)&b, sizeof b));
  f.fd = y;
  poll(&f, 1, 2000);
  RET(recv(y, buffer, sizeof buffer, MSG_DONTWAIT));
  RET(sendto(x, buffer, 65508, 0, (void*)&b, sizeof b));
  // Nobody there: the error comes with the next call on a connected socket.
  close(z);
  RET(connect(x, (void*)&c, sizeof c));
  RET(send(x, "void", 4, 0));
  f = (struct pollfd){x, POLLIN, 0};
  RET(poll(&f, 1, 2000));
  RET(recv(x, buffer, 10, 0));
  RET(listen(x, 1));
  RET(accept(x, NULL, NULL));
  struct mmsghdr many[3] = {0};
  for (int i = 0; i < 3; i++)
    many[i].msg_hdr = (struct msghdr){.msg_name = &b, .msg_namelen = sizeof b, .msg_iov = parts, .msg_iovlen = 1};
  RET(connect(x, &none, sizeof none));
  RET(sendmmsg(x, many, 3, 0));
  RET(many[2].msg_len);
  f = (struct pollfd){y, POLLIN, 0};
  poll(&f, 1, 2000);
  RET(recvmmsg(y, many, 3, MSG_WAITFORONE, NULL));
  return done();
}
