// SPDX-License-Identifier: Apache-2.0
// A small SO_SNDBUF bounds what a TCP connection takes before its other end reads; a sender that waits for room learns
// that the other end has closed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static int client, server;
static char bytes[256 * 1024 + 1];

static void connect_pair(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (bind(listener, (void*)&address, sizeof address) || listen(listener, 1)) SAY("no listener");
  getsockname(listener, (void*)&address, &size);
  client = socket(AF_INET, SOCK_STREAM, 0);
  RET(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
  if (connect(client, (void*)&address, sizeof address)) SAY("no connection");
  server = accept(listener, NULL, NULL);
  close(listener);
}

static size_t fill(void) {
  size_t total = 0;
  for (;;) {
    ssize_t n = send(client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0) break;
    total += (size_t)n;
  }
  return total;
}

static void* reader(void* unused) {
  static char part[1024];
  if (recv(server, part, sizeof part, MSG_WAITALL) != sizeof part) SAY("too little came");
  close(server);
  return unused;
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  connect_pair();
  size_t taken = fill();
  IS(taken >= 4096 && taken < sizeof bytes);
  struct pollfd p = {.fd = client, .events = POLLOUT};
  RET(poll(&p, 1, 0));
  size_t read = 0;
  while (read < taken) {
    ssize_t n = recv(server, bytes, sizeof bytes, 0);
    if (n <= 0) break;
    read += (size_t)n;
  }
  IS(read == taken);
  RET(poll(&p, 1, 2000));
  SAY("events %#x", p.revents);
  close(client);
  close(server);

  connect_pair();
  pthread_t t;
  pthread_create(&t, NULL, reader, NULL);
  size_t sent = 0;
  ssize_t n = 0;
  while (sent < sizeof bytes && (n = send(client, bytes, sizeof bytes - sent, 0)) > 0)
    sent += (size_t)n;
  IS(sent < sizeof bytes && n < 0 && (errno == ECONNRESET || errno == EPIPE));
  pthread_join(t, NULL);
  return done();
}
