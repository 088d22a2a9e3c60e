// SPDX-License-Identifier: Apache-2.0
// TCP over loopback: bind, listen, accept, names, half-close, peeking, non-blocking connect, refused connections.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "check.h"

static struct sockaddr_in address = {.sin_family = AF_INET};
static int listener;

static int listen_any(int backlog) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = 0;
  if (bind(fd, (void*)&address, sizeof address) || listen(fd, backlog) || getsockname(fd, (void*)&address, &size))
    return -1;
  return fd;
}

static void* client(void* unused) {
  char b[64] = {0};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void*)&address, sizeof address)) SAY("connect: %s", error_name(errno));
  send(fd, "hello server", 12, 0);
  recv(fd, b, sizeof b, 0);
  if (strcmp(b, "hello client")) SAY("client got %s", b);
  shutdown(fd, SHUT_WR);
  while (recv(fd, b, sizeof b, 0) > 0) {
  }
  close(fd);
  return unused;
}

int main(void) {
  char b[64] = {0};
  struct sockaddr_in peer, mine;
  socklen_t size = sizeof peer;
  listener = listen_any(8);
  IS(listener >= 0 && address.sin_port != 0);
  pthread_t t = start(client, NULL);
  int fd = accept4(listener, (void*)&peer, &size, SOCK_CLOEXEC);
  IS(fd >= 0);
  RET(fcntl(fd, F_GETFD));
  SAY("peer family %d size %u address %s", peer.sin_family, size, inet_ntoa(peer.sin_addr));
  size = sizeof mine;
  RET(getsockname(fd, (void*)&mine, &size));
  IS(mine.sin_port == address.sin_port);
  struct sockaddr_in again;
  size = sizeof again;
  RET(getpeername(fd, (void*)&again, &size));
  IS(again.sin_port == peer.sin_port);
  struct pollfd f = {fd, POLLIN, 0};
  RET(poll(&f, 1, 2000));
  RET(recv(fd, b, 5, MSG_PEEK));
  int n = 0;
  RET(ioctl(fd, FIONREAD, &n));
  RET(n);
  RET(recv(fd, b, sizeof b, 0));
  SAY("%s", b);
  RET(recv(fd, b, sizeof b, MSG_DONTWAIT));
  RET(send(fd, "hello client", 12, MSG_NOSIGNAL));
  RET(recv(fd, b, sizeof b, 0));
  // The other side has closed its half; ours still works.
  RET(send(fd, "after", 5, 0));
  RET(shutdown(fd, SHUT_WR));
  RET(send(fd, "x", 1, MSG_NOSIGNAL));
  RET(shutdown(fd, 9));
  join(t);
  RET(close(fd));

  // No listener: refused.
  struct sockaddr_in refused = address;
  close(listener);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  RET(connect(fd, (void*)&refused, sizeof refused));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  RET(connect(fd, (void*)&refused, sizeof refused));
  f = (struct pollfd){fd, POLLOUT, 0};
  RET(poll(&f, 1, 2000));
  IS((f.revents & (POLLERR | POLLHUP)) != 0);
  int error = 0;
  size = sizeof error;
  RET(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
  SAY("%s", error_name(error));
  close(fd);

  // A non-blocking connect that succeeds.
  listener = listen_any(8);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  RET(accept(listener, NULL, NULL));
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  long r = connect(fd, (void*)&address, sizeof address);
  IS(r == 0 || errno == EINPROGRESS);
  f = (struct pollfd){fd, POLLOUT, 0};
  RET(poll(&f, 1, 2000));
  RET(f.revents);
  size = sizeof error;
  RET(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
  RET(error);
  f = (struct pollfd){listener, POLLIN, 0};
  RET(poll(&f, 1, 2000));
  int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  IS(s >= 0 && (fcntl(s, F_GETFL) & O_NONBLOCK));
  RET(recv(s, b, 1, 0));
  RET(connect(fd, (void*)&address, sizeof address));
  RET(listen(fd, 5));
  // Closing with unread data resets.
  send(fd, "unread", 6, 0);
  f = (struct pollfd){s, POLLIN, 0};
  poll(&f, 1, 2000);
  close(s);
  f = (struct pollfd){fd, POLLIN, 0};
  RET(poll(&f, 1, 2000));
  RET(recv(fd, b, 1, 0));
  close(fd);

  fd = socket(AF_INET, SOCK_STREAM, 0);
  RET(send(fd, "x", 1, MSG_NOSIGNAL));
  RET(recv(fd, b, 1, 0));
  RET(getpeername(fd, (void*)&peer, &size));
  RET(accept(fd, NULL, NULL));
  RET(bind(fd, (void*)&address, 4));
  RET(bind(fd, (void*)&address, sizeof address));
  RET(bind(99, (void*)&address, sizeof address));
  RET(bind(0, (void*)&address, sizeof address));
  RET(accept4(listener, NULL, NULL, 0x1));
  RET(socket(AF_INET, 99, 0));
  RET(socket(99, SOCK_STREAM, 0));
  RET(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  address.sin_addr.s_addr = inet_addr("203.0.113.9");
  RET(bind(fd, (void*)&address, sizeof address));
  return done();
}
