// SPDX-License-Identifier: Apache-2.0
// getsockopt(2), setsockopt(2): the options that programs set, and read back.
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "check.h"

static int fd;
static void set_get(const char* text, int level, int option, int value) {
  int back = -1;
  socklen_t size = sizeof back;
  int set = setsockopt(fd, level, option, &value, sizeof value);
  const char* why = set ? error_name(errno) : "ok";
  int got = getsockopt(fd, level, option, &back, &size);
  SAY("%s: %s, %d %d", text, why, got, back);
}

int main(void) {
  int value;
  socklen_t size = sizeof value;
  fd = socket(AF_INET, SOCK_STREAM, 0);
  set_get("SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1);
  set_get("SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1);
  set_get("SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1);
  set_get("TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1);
  set_get("TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 77);
  set_get("TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 11);
  set_get("TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 4);
  set_get("TCP_CORK", IPPROTO_TCP, TCP_CORK, 1);
  set_get("TCP_CORK off", IPPROTO_TCP, TCP_CORK, 0);
  set_get("TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
  set_get("IP_TOS", IPPROTO_IP, IP_TOS, 8);
  set_get("IP_TTL", IPPROTO_IP, IP_TTL, 33);
  RET(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
  RET(value == SOCK_STREAM);
  RET(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size));
  RET(value);
  RET(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &size));
  RET(value);
  RET(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
  RET(value);
  RET(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size));
  RET(value);
  IS(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &size) == 0 && value > 1000);
  IS(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &size) == 0 && value > 1000);
  value = 65536;
  RET(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value));
  IS(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &size) == 0 && value >= 65536);
  struct linger l = {1, 5}, lb;
  RET(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
  size = sizeof lb;
  RET(getsockopt(fd, SOL_SOCKET, SO_LINGER, &lb, &size));
  SAY("%d %d", lb.l_onoff, lb.l_linger);
  struct timeval tv = {0, 50000}, tb;
  RET(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  size = sizeof tb;
  RET(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tb, &size));
  IS(tb.tv_sec == 0 && tb.tv_usec >= 49000 && tb.tv_usec <= 60000);
  struct tcp_info info;
  size = sizeof info;
  RET(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
  RET(info.tcpi_state);
  size = sizeof value;
  RET(getsockopt(fd, SOL_SOCKET, 9999, &value, &size));
  RET(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof value));
  RET(setsockopt(fd, IPPROTO_TCP, 9999, &value, sizeof value));
  RET(setsockopt(fd, 9999, 1, &value, sizeof value));
  RET(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 1));
  RET(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4));
  RET(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NULL));
  RET(getsockopt(99, SOL_SOCKET, SO_TYPE, &value, &size));
  RET(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &size));
  // A receive that times out, as SO_RCVTIMEO says.
  int p[2];
  char c;
  socketpair(AF_UNIX, SOCK_STREAM, 0, p);
  RET(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  double t = seconds_now();
  RET(recv(p[0], &c, 1, 0));
  IS(seconds_now() - t >= 0.04);
  // Two listeners on one address need the option on both.
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  size = sizeof a;
  RET(bind(fd, (void*)&a, sizeof a));
  RET(getsockname(fd, (void*)&a, &size));
  RET(listen(fd, 5));
  size = sizeof value;
  RET(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
  RET(value);
  int other = socket(AF_INET, SOCK_STREAM, 0);
  RET(bind(other, (void*)&a, sizeof a));
  close(other);
  // IPv6 options.
  fd = socket(AF_INET6, SOCK_STREAM, 0);
  IS(fd >= 0);
  set_get("IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 1);
  return done();
}
