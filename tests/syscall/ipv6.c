// SPDX-License-Identifier: Apache-2.0
// IPv6 over loopback, and IPv4 addresses mapped into it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

int main(void) {
  struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, peer;
  socklen_t size = sizeof a;
  char text[64], b[16] = {0};
  int l = socket(AF_INET6, SOCK_STREAM, 0);
  RET(bind(l, (void*)&a, sizeof a));
  RET(listen(l, 5));
  RET(getsockname(l, (void*)&a, &size));
  int c = socket(AF_INET6, SOCK_STREAM, 0);
  RET(connect(c, (void*)&a, sizeof a));
  size = sizeof peer;
  int s = accept(l, (void*)&peer, &size);
  IS(s >= 0);
  SAY("%u %s", size, inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
  RET(write(c, "six", 3));
  RET(read(s, b, 16));
  close(l), close(c), close(s);
  // A listener on any address takes IPv4 too.
  a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
  l = socket(AF_INET6, SOCK_STREAM, 0);
  RET(bind(l, (void*)&a, sizeof a));
  RET(listen(l, 5));
  size = sizeof a;
  getsockname(l, (void*)&a, &size);
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = a.sin6_port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c = socket(AF_INET, SOCK_STREAM, 0);
  RET(connect(c, (void*)&four, sizeof four));
  size = sizeof peer;
  s = accept(l, (void*)&peer, &size);
  SAY("%s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
  RET(write(s, "four", 4));
  RET(read(c, b, 16));
  return done();
}
