// SPDX-License-Identifier: Apache-2.0
// MSG_ZEROCOPY: who may ask for it, what the error queue tells of each send, how reports join, what poll says.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "check.h"
// After time.h, which check.h reads: it needs struct timespec.
#include <linux/errqueue.h>

static int set(int fd, int value) {
  return setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof value);
}

static int state(int fd) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, &size) == 0 ? value : -errno;
}

static void who_may(void) {
  static const int kinds[][3] = {
      {AF_INET, SOCK_STREAM, 0},         {AF_INET6, SOCK_STREAM, 0}, {AF_INET, SOCK_DGRAM, 0},
      {AF_INET6, SOCK_DGRAM, 0},         {AF_UNIX, SOCK_STREAM, 0},  {AF_UNIX, SOCK_DGRAM, 0},
      {AF_INET, SOCK_RAW, IPPROTO_ICMP}, {AF_NETLINK, SOCK_RAW, 0},  {AF_UNIX, SOCK_SEQPACKET, 0},
  };
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    const int fd = socket(kinds[i][0], kinds[i][1], kinds[i][2]);
    SAY("family %d, type %d", kinds[i][0], kinds[i][1]);
    RET(state(fd));
    RET(set(fd, 1));
    RET(state(fd));
    RET(set(fd, 2));
    RET(set(fd, -1));
    RET(set(fd, 0));
    RET(state(fd));
    close(fd);
  }
}

static void events(int fd) {
  struct pollfd p = {fd, POLLPRI, 0};
  poll(&p, 1, 0);
  SAY("poll: %s%s%s", p.revents & POLLERR ? "error " : "", p.revents & POLLPRI ? "urgent " : "",
      p.revents & POLLHUP ? "end" : "");
}

// Waits until there is a report: a connection's comes when the data has been acknowledged.
static void report(int fd) {
  char control[256], data[16];
  struct sockaddr_in6 name;
  struct iovec part = {data, sizeof data};
  struct msghdr header = {.msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &part, .msg_iovlen = 1};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(fd, &header, MSG_ERRQUEUE);
  if (got < 0) {
    SAY("report: %s", error_name(errno));
    return;
  }
  SAY("report of %zd bytes, flags %#x, name of %u", got, header.msg_flags, header.msg_namelen);
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    struct sock_extended_err e;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    SAY("  level %d, type %d, %zu bytes: errno %u, origin %u, type %u, code %u, %u to %u", c->cmsg_level, c->cmsg_type,
        (size_t)c->cmsg_len, e.ee_errno, e.ee_origin, e.ee_type, e.ee_code, e.ee_info, e.ee_data);
    const unsigned char* rest = CMSG_DATA(c) + sizeof e;
    int zero = 1;
    for (size_t i = 0; i < c->cmsg_len - CMSG_LEN(sizeof e); ++i)
      zero &= rest[i] == 0;
    SAY("  the offender is zero: %d", zero);
  }
}

static void drain(int fd, size_t bytes) {
  char data[4096];
  while (bytes > 0) {
    const ssize_t got = read(fd, data, sizeof data < bytes ? sizeof data : bytes);
    if (got <= 0) {
      SAY("read: %zd", got);
      return;
    }
    bytes -= (size_t)got;
  }
}

static void connection(int family, int fds[2]) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr_in old = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  void* at = family == AF_INET ? (void*)&old : (void*)&name;
  socklen_t size = family == AF_INET ? sizeof old : sizeof name;
  const int listener = socket(family, SOCK_STREAM, 0);
  if (bind(listener, at, size) || listen(listener, 1)) SAY("listen: %s", error_name(errno));
  getsockname(listener, at, &size);
  fds[0] = socket(family, SOCK_STREAM, 0);
  if (connect(fds[0], at, size)) SAY("connect: %s", error_name(errno));
  fds[1] = accept(listener, NULL, NULL);
  close(listener);
}

static void stream(int family) {
  static char data[20000];
  int fds[2];
  connection(family, fds);
  SAY("a stream of family %d", family);
  RET(send(fds[0], data, 100, MSG_ZEROCOPY));  // not asked for: an ordinary send
  drain(fds[1], 100);
  report(fds[0]);
  RET(set(fds[0], 1));
  events(fds[0]);
  RET(send(fds[0], data, sizeof data, MSG_ZEROCOPY));
  drain(fds[1], sizeof data);
  events(fds[0]);
  report(fds[0]);
  events(fds[0]);
  report(fds[0]);
  // Reports that nobody read join.
  for (int i = 0; i < 3; ++i) {
    RET(send(fds[0], data, 1000, MSG_ZEROCOPY));
    drain(fds[1], 1000);
  }
  RET(send(fds[0], data, 0, MSG_ZEROCOPY));
  RET(send(fds[0], data, 10, 0));
  drain(fds[1], 10);
  report(fds[0]);
  report(fds[0]);
  // A send that fails has no number.
  RET(send(fds[0], (void*)8, 100, MSG_ZEROCOPY));
  report(fds[0]);
  struct iovec parts[2] = {{data, 300}, {data, 200}};
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
  RET(sendmsg(fds[0], &header, MSG_ZEROCOPY));
  drain(fds[1], 500);
  int on = 1;
  RET(setsockopt(fds[0], SOL_SOCKET, SO_SELECT_ERR_QUEUE, &on, sizeof on));
  events(fds[0]);
  report(fds[0]);
  events(fds[0]);
  // Accepted sockets take the option after the listener's; the other end knows of nothing.
  report(fds[1]);
  RET(set(fds[0], 0));
  RET(send(fds[0], data, 100, MSG_ZEROCOPY));
  drain(fds[1], 100);
  report(fds[0]);
  close(fds[1]);
  RET(set(fds[0], 1));
  signal(SIGPIPE, SIG_IGN);
  RET(send(fds[0], data, 100, MSG_ZEROCOPY));
  struct pollfd p = {fds[0], POLLRDHUP, 0};
  poll(&p, 1, 1000);
  RET(send(fds[0], data, 100, MSG_ZEROCOPY | MSG_NOSIGNAL));
  close(fds[0]);
}

static void datagrams(int family) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr_in old = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  void* at = family == AF_INET ? (void*)&old : (void*)&name;
  socklen_t size = family == AF_INET ? sizeof old : sizeof name;
  static char data[9000];
  const int to = socket(family, SOCK_DGRAM, 0), from = socket(family, SOCK_DGRAM, 0);
  bind(to, at, size);
  getsockname(to, at, &size);
  connect(from, at, size);
  SAY("datagrams of family %d", family);
  RET(set(from, 1));
  RET(send(from, data, 100, MSG_ZEROCOPY));
  RET(read(to, data, sizeof data));
  events(from);
  report(from);
  events(from);
  RET(send(from, data, 0, MSG_ZEROCOPY));
  RET(read(to, data, sizeof data));
  report(from);
  for (int i = 0; i < 4; ++i)
    RET(send(from, data, 1000, MSG_ZEROCOPY));
  for (int i = 0; i < 4; ++i)
    RET(read(to, data, sizeof data));
  report(from);
  // One call with many datagrams is one number.
  int segment = 500;
  RET(setsockopt(from, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment));
  RET(send(from, data, 2000, MSG_ZEROCOPY));
  for (int i = 0; i < 4; ++i)
    RET(read(to, data, sizeof data));
  report(from);
  report(from);
  close(to);
  close(from);
}

int main(void) {
  who_may();
  stream(AF_INET);
  stream(AF_INET6);
  datagrams(AF_INET);
  datagrams(AF_INET6);
  return 0;
}
