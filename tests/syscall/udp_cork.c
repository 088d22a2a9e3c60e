// SPDX-License-Identifier: Apache-2.0
// MSG_MORE and UDP_CORK: one datagram of several calls (send(2), udp(7)).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "check.h"

static struct sockaddr_in own(int fd) {
  struct sockaddr_in a;
  socklen_t size = sizeof a;
  getsockname(fd, (void*)&a, &size);
  return a;
}

static int receiver(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  bind(fd, (void*)&a, sizeof a);
  return fd;
}

static void got(int fd) {
  char buffer[100] = "";
  if (RET(recv(fd, buffer, sizeof buffer - 1, MSG_DONTWAIT)) >= 0) SAY("`%s`", buffer);
}

int main(void) {
  int a = receiver(), b = receiver(), s = socket(AF_INET, SOCK_DGRAM, 0), on = 1, off = 0, back = 9;
  struct sockaddr_in to_a = own(a), to_b = own(b);
  socklen_t size = sizeof back;
  RET(send(s, "nowhere", 7, MSG_MORE));
  RET(sendto(s, "one ", 4, MSG_MORE, (void*)&to_a, sizeof to_a));
  got(a);
  RET(sendto(s, "two ", 4, MSG_MORE, (void*)&to_b, sizeof to_b));
  RET(send(s, "three", 5, 0));
  got(a);
  got(b);
  RET(sendto(s, "alone", 5, 0, (void*)&to_b, sizeof to_b));
  got(b);
  RET(getsockopt(s, IPPROTO_UDP, UDP_CORK, &back, &size));
  SAY("%d", back);
  RET(setsockopt(s, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
  RET(getsockopt(s, IPPROTO_UDP, UDP_CORK, &back, &size));
  SAY("%d", back);
  RET(sendto(s, "cork", 4, 0, (void*)&to_a, sizeof to_a));
  RET(sendto(s, "ed", 2, 0, (void*)&to_a, sizeof to_a));
  got(a);
  RET(setsockopt(s, IPPROTO_UDP, UDP_CORK, &off, sizeof off));
  got(a);
  RET(connect(s, (void*)&to_a, sizeof to_a));
  struct iovec parts[2] = {{"x", 1}, {"y", 1}};
  struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
  RET(sendmsg(s, &m, MSG_MORE));
  RET(sendto(s, "", 0, 0, (void*)&to_a, sizeof to_a));
  got(a);
  // Too much: what waited is lost.
  static char large[60000];
  RET(send(s, large, sizeof large, MSG_MORE));
  RET(send(s, large, sizeof large, MSG_MORE));
  RET(send(s, "fresh", 5, 0));
  got(a);
  return 0;
}
