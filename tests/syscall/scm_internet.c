// SPDX-License-Identifier: Apache-2.0
// SCM_RIGHTS and SCM_CREDENTIALS on sockets that are not AF_UNIX: the internet's step over them, netlink's refuse
// files.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "check.h"

static long send_with(int fd, int type, size_t size) {
  char space[CMSG_SPACE(64)] = {0};
  struct iovec one = {"x", 1};
  struct msghdr m = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = CMSG_LEN(size)};
  struct cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(size);
  return sendmsg(fd, &m, 0);
}

int main(void) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof here;
  const int listener = socket(AF_INET, SOCK_STREAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr*)&here, sizeof here);
  listen(listener, 1);
  getsockname(listener, (struct sockaddr*)&here, &length);
  RET(connect(stream, (struct sockaddr*)&here, sizeof here));
  const int accepted = accept(listener, NULL, NULL);
  RET(send_with(stream, SCM_RIGHTS, sizeof(int)));
  RET(send_with(stream, SCM_CREDENTIALS, 12));
  RET(send_with(stream, SCM_RIGHTS, 0));
  RET(send_with(stream, 99, sizeof(int)));
  char got[8];
  struct iovec all = {got, sizeof got};
  char space[256];
  struct msghdr m = {.msg_iov = &all, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  RET(recvmsg(accepted, &m, 0));
  SAY("control %zu", m.msg_controllen);
  const int datagram = socket(AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 there = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  RET(connect(datagram, (struct sockaddr*)&there, sizeof there));
  RET(send_with(datagram, SCM_RIGHTS, sizeof(int)));
  const int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  RET(send_with(netlink, SCM_RIGHTS, sizeof(int)));
  return 0;
}
