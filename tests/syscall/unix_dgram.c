// SPDX-License-Identifier: Apache-2.0
// AF_UNIX datagrams and sequenced packets: bounds, addresses, full queues.
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"

int main(void) {
  scratch();
  char b[64] = {0};
  struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "a"}, c = {.sun_family = AF_UNIX, .sun_path = "b"}, from;
  int x = socket(AF_UNIX, SOCK_DGRAM, 0), y = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  RET(bind(x, (void*)&a, sizeof a));
  RET(bind(y, (void*)&c, sizeof c));
  RET(sendto(x, "one", 3, 0, (void*)&c, sizeof c));
  RET(sendto(x, "twoo", 4, 0, (void*)&c, sizeof c));
  socklen_t size = sizeof from;
  RET(recvfrom(y, b, sizeof b, 0, (void*)&from, &size));
  SAY("%.3s from %s", b, from.sun_path);
  RET(recv(y, b, 2, 0));
  RET(recv(y, b, 2, 0));
  RET(connect(x, (void*)&c, sizeof c));
  RET(send(x, "", 0, 0));
  RET(recv(y, b, 2, 0));
  RET(send(y, "x", 1, 0));
  close(y);
  RET(send(x, "x", 1, 0));
  unlink("b");
  RET(sendto(x, "x", 1, 0, (void*)&c, sizeof c));
  int p[2];
  RET(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
  int sent = 0;
  while (send(p[0], "fill", 4, 0) == 4)
    sent++;
  IS(sent >= 2 && errno == EAGAIN);
  int got = 0;
  while (recv(p[1], b, 64, 0) == 4)
    got++;
  IS(got == sent);
  RET(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
  RET(send(p[0], "packet", 6, 0));
  RET(send(p[0], "next", 4, 0));
  RET(recv(p[1], b, 3, 0));
  RET(recv(p[1], b, 64, 0));
  close(p[0]);
  RET(recv(p[1], b, 64, 0));
  return done();
}
