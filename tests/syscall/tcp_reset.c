// SPDX-License-Identifier: Apache-2.0
// A TCP connection after its end: reset by SO_LINGER 0 with data still queued, and closed from both sides.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static int client, server;

static void connect_pair(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void*)&address, sizeof address) || listen(listener, 1)) SAY("no listener");
  getsockname(listener, (void*)&address, &size);
  client = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client, (void*)&address, sizeof address)) SAY("no connection");
  server = accept(listener, NULL, NULL);
  close(listener);
}

static void reset(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

static int peer(int fd) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  return getpeername(fd, (void*)&address, &size);
}

static int events(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
  poll(&p, 1, 2000);
  return p.revents;
}

static int error(int fd) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size);
  return value;
}

static int tcp_state(int fd) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_state;
}

int main(void) {
  char b[64];
  signal(SIGPIPE, SIG_IGN);

  SAY("reset with data");
  connect_pair();
  RET(send(client, "hello", 5, 0));
  reset(client);
  SAY("events %#x", events(server));
  RET(peer(server));
  RET(tcp_state(server));
  RET(recv(server, b, 2, 0));
  RET(recv(server, b, sizeof b, MSG_PEEK));
  RET(recv(server, b, sizeof b, MSG_WAITALL));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  RET(send(server, "x", 1, 0));
  RET(shutdown(server, SHUT_WR));
  SAY("events %#x", events(server));
  close(server);

  SAY("reset, the error is asked for first");
  connect_pair();
  RET(send(client, "hello", 5, 0));
  reset(client);
  SAY("error %s", error_name(error(server)));
  RET(error(server));
  SAY("events %#x", events(server));
  RET(recv(server, b, 2, 0));
  RET(send(server, "x", 1, 0));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  close(server);

  SAY("reset, then a send");
  connect_pair();
  RET(send(client, "hello", 5, 0));
  reset(client);
  RET(send(server, "x", 1, 0));
  RET(send(server, "x", 1, 0));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  close(server);

  SAY("closed with data unread");
  connect_pair();
  RET(send(client, "hello", 5, 0));
  RET(send(server, "hello", 5, 0));
  close(client);
  SAY("events %#x", events(server));
  RET(peer(server));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  close(server);

  SAY("both ends say that they are done");
  connect_pair();
  RET(send(client, "hello", 5, 0));
  RET(shutdown(client, SHUT_WR));
  RET(peer(server));
  RET(peer(client));
  RET(tcp_state(server));
  IS(tcp_state(client) == TCP_FIN_WAIT1 || tcp_state(client) == TCP_FIN_WAIT2);
  RET(shutdown(server, SHUT_WR));
  for (int i = 0; i < 5000 && tcp_state(server) != TCP_CLOSE; ++i)
    usleep(1000);
  RET(peer(server));
  RET(peer(client));
  RET(tcp_state(server));
  RET(shutdown(server, SHUT_RD));
  RET(shutdown(client, SHUT_WR));
  SAY("events %#x", events(server));
  RET(recv(server, b, sizeof b, 0));
  RET(recv(server, b, sizeof b, 0));
  close(server);
  close(client);
  return done();
}
