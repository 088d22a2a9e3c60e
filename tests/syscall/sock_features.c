// SPDX-License-Identifier: Apache-2.0
// Options of sockets that change what happens: low-water marks, time stamps, out-of-band data, peers, device, MSG_*.
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "check.h"

static char text[256];

static void tcp_pair(int* fds) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void*)&name, sizeof name);
  listen(listener, 1);
  getsockname(listener, (void*)&name, &size);
  fds[0] = socket(AF_INET, SOCK_STREAM, 0);
  connect(fds[0], (void*)&name, sizeof name);
  fds[1] = accept(listener, NULL, NULL);
  close(listener);
}

static short ready(int fd, short events) {
  struct pollfd p = {fd, events, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static void low_water(int* fds) {
  int value = 5, got = 0;
  socklen_t size = sizeof got;
  struct timeval soon = {0, 30000};
  RET(setsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value));
  RET(getsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &got, &size));
  RET(got);
  setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  send(fds[0], "abc", 3, 0);
  RET(ready(fds[1], POLLIN) & POLLIN);
  RET(recv(fds[1], text, sizeof text, MSG_PEEK | MSG_DONTWAIT));
  send(fds[0], "de", 2, 0);
  RET((ready(fds[1], POLLIN) & POLLIN) != 0);
  RET(recv(fds[1], text, sizeof text, 0));
  value = 1;
  setsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

static volatile int urgent;
static void on_urgent(int number) {
  (void)number;
  ++urgent;
}

static void out_of_band(int* fds) {
  int mark = -1;
  signal(SIGURG, on_urgent);
  fcntl(fds[1], F_SETOWN, getpid());
  RET(send(fds[0], "ab", 2, 0));
  RET(send(fds[0], "X", 1, MSG_OOB));
  RET(urgent);
  RET(send(fds[0], "cd", 2, 0));
  RET((ready(fds[1], POLLPRI) & POLLPRI) != 0);
  RET(ioctl(fds[1], SIOCATMARK, &mark));
  RET(mark);
  memset(text, 0, sizeof text);
  RET(recv(fds[1], text, sizeof text, 0));
  SAY("%s", text);
  RET(ioctl(fds[1], SIOCATMARK, &mark));
  RET(mark);
  RET(recv(fds[1], text, 1, MSG_OOB | MSG_PEEK));
  RET(recv(fds[1], text, 1, MSG_OOB));
  RET(text[0] == 'X');
  RET(recv(fds[1], text, 1, MSG_OOB));
  memset(text, 0, sizeof text);
  RET(recv(fds[1], text, sizeof text, 0));
  SAY("%s", text);
  RET(recv(fds[1], text, 1, MSG_OOB));
  // Inline it is data, and the mark stops a read.
  int on = 1;
  RET(setsockopt(fds[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
  send(fds[0], "ab", 2, 0);
  send(fds[0], "Y", 1, MSG_OOB);
  send(fds[0], "cd", 2, 0);
  RET(recv(fds[1], text, 1, MSG_OOB));
  RET(recv(fds[1], text, sizeof text, 0));
  RET(ioctl(fds[1], SIOCATMARK, &mark));
  RET(mark);
  memset(text, 0, sizeof text);
  RET(recv(fds[1], text, sizeof text, 0));
  SAY("%s", text);
}

static void time_stamps(void) {
  int pair[2], on = 1;
  char control[256];
  struct iovec part = {text, sizeof text};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  for (int option = 0; option < 2; ++option) {
    RET(setsockopt(pair[1], SOL_SOCKET, option ? SO_TIMESTAMPNS : SO_TIMESTAMP, &on, sizeof on));
    send(pair[0], "x", 1, 0);
    header.msg_controllen = sizeof control;
    RET(recvmsg(pair[1], &header, 0));
    struct cmsghdr* c = CMSG_FIRSTHDR(&header);
    if (!c) {
      SAY("no control message");
      continue;
    }
    SAY("level %d, type %d, %zu bytes", c->cmsg_level, c->cmsg_type, c->cmsg_len);
    time_t seconds;
    memcpy(&seconds, CMSG_DATA(c), sizeof seconds);
    IS(seconds >= time(NULL) - 5 && seconds <= time(NULL));
  }
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
  bind(receiver, (void*)&name, sizeof name);
  getsockname(receiver, (void*)&name, &size);
  setsockopt(receiver, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on);
  sendto(sender, "x", 1, 0, (void*)&name, sizeof name);
  header.msg_controllen = sizeof control;
  RET(recvmsg(receiver, &header, 0));
  IS(CMSG_FIRSTHDR(&header) && CMSG_FIRSTHDR(&header)->cmsg_type == SO_TIMESTAMP);
}

static void options(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), value, got;
  socklen_t size;
#define NUMBER(level, name, number)                              \
  do {                                                           \
    value = number;                                              \
    size = sizeof got;                                           \
    got = -1;                                                    \
    int set = setsockopt(fd, level, name, &value, sizeof value); \
    const char* why = set ? error_name(errno) : "ok";            \
    int back = getsockopt(fd, level, name, &got, &size);         \
    SAY("%s %d: %s, %d %d", #name, number, why, back, got);      \
  } while (0)
  NUMBER(SOL_SOCKET, SO_PRIORITY, 3);
  NUMBER(SOL_SOCKET, SO_PRIORITY, 6);
  NUMBER(SOL_SOCKET, SO_MARK, 7);
  NUMBER(SOL_SOCKET, SO_RCVBUF, 10000);
  NUMBER(SOL_SOCKET, SO_SNDBUF, 10000);
  NUMBER(SOL_SOCKET, SO_RCVBUF, 1);
  NUMBER(SOL_SOCKET, SO_SNDBUF, 1);
  NUMBER(SOL_SOCKET, SO_RCVBUFFORCE, 5000000);
  NUMBER(SOL_SOCKET, SO_SNDLOWAT, 5);
  NUMBER(SOL_SOCKET, SO_DONTROUTE, 1);
  NUMBER(SOL_SOCKET, SO_BROADCAST, 1);
  NUMBER(SOL_SOCKET, SO_NO_CHECK, 1);
  NUMBER(SOL_SOCKET, SO_RXQ_OVFL, 1);
  NUMBER(SOL_SOCKET, SO_BUSY_POLL, 1);
  NUMBER(SOL_SOCKET, SO_ZEROCOPY, 1);
  NUMBER(SOL_SOCKET, SO_INCOMING_CPU, 0);
  NUMBER(SOL_SOCKET, SO_TIMESTAMPING, 16);
  NUMBER(SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
  NUMBER(IPPROTO_TCP, TCP_MAXSEG, 1000);
  NUMBER(IPPROTO_TCP, TCP_MAXSEG, 1);
  NUMBER(IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
  NUMBER(IPPROTO_TCP, TCP_QUICKACK, 0);
  NUMBER(IPPROTO_TCP, TCP_SYNCNT, 3);
  NUMBER(IPPROTO_TCP, TCP_SYNCNT, 300);
  NUMBER(IPPROTO_TCP, TCP_LINGER2, 30);
  NUMBER(IPPROTO_TCP, TCP_LINGER2, -1);
  NUMBER(IPPROTO_TCP, TCP_WINDOW_CLAMP, 5000);
  NUMBER(IPPROTO_TCP, TCP_USER_TIMEOUT, 700);
  NUMBER(IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
  NUMBER(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 5000);
  NUMBER(IPPROTO_TCP, TCP_KEEPIDLE, 0);
  NUMBER(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1);
  NUMBER(IPPROTO_IP, IP_TOS, 0x10);
  NUMBER(IPPROTO_IP, IP_TTL, 0);
  NUMBER(IPPROTO_IP, IP_TTL, 256);
  NUMBER(IPPROTO_IP, IP_TTL, -1);
  NUMBER(IPPROTO_IP, IP_MTU_DISCOVER, 2);
  NUMBER(IPPROTO_IP, IP_MTU_DISCOVER, 9);
  NUMBER(IPPROTO_IP, IP_RECVERR, 1);
  NUMBER(IPPROTO_IP, IP_MINTTL, 5);
  NUMBER(IPPROTO_IP, IP_RECVOPTS, 1);
  NUMBER(IPPROTO_IP, IP_PKTINFO, 1);
  NUMBER(IPPROTO_IP, IP_RECVTTL, 1);
  NUMBER(IPPROTO_IP, IP_HDRINCL, 1);
  NUMBER(IPPROTO_IP, IP_MULTICAST_TTL, 5);
  NUMBER(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  NUMBER(SOL_SOCKET, SO_NO_CHECK, 1);
  NUMBER(SOL_SOCKET, SO_RXQ_OVFL, 1);
  NUMBER(SOL_SOCKET, SO_TIMESTAMP, 1);
  NUMBER(IPPROTO_UDP, 1, 1);
  NUMBER(IPPROTO_UDP, 103, 500);
  NUMBER(IPPROTO_UDP, 104, 1);
  NUMBER(IPPROTO_UDP, 999, 1);
  NUMBER(IPPROTO_IP, IP_MULTICAST_TTL, 5);
  NUMBER(IPPROTO_IP, IP_MULTICAST_TTL, 256);
  NUMBER(IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  NUMBER(IPPROTO_IP, IP_MULTICAST_ALL, 0);
  NUMBER(IPPROTO_IP, IP_RECVERR, 1);
  NUMBER(IPPROTO_IP, IP_RECVORIGDSTADDR, 1);
  NUMBER(IPPROTO_IP, IP_UNICAST_IF, 0);
  NUMBER(IPPROTO_IP, IP_FREEBIND, 1);
  NUMBER(IPPROTO_IP, IP_TRANSPARENT, 1);
  fd = socket(AF_INET6, SOCK_DGRAM, 0);
  NUMBER(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
  NUMBER(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 300);
  NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 5);
  NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  NUMBER(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  NUMBER(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  NUMBER(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  NUMBER(IPPROTO_IPV6, IPV6_TCLASS, 8);
  NUMBER(IPPROTO_IPV6, IPV6_RECVERR, 1);
  NUMBER(IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  NUMBER(IPPROTO_IPV6, IPV6_FREEBIND, 1);
  NUMBER(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  NUMBER(SOL_SOCKET, SO_PEEK_OFF, 0);
  NUMBER(SOL_SOCKET, SO_PASSCRED, 1);
  NUMBER(SOL_SOCKET, SO_RCVBUF, 8192);
  NUMBER(SOL_SOCKET, SO_ACCEPTCONN, 1);
}

static void device(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  char name[IFNAMSIZ] = "";
  socklen_t size = sizeof name;
  RET(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
  RET(size);
  RET(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
  size = sizeof name;
  RET(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
  SAY("%s %d", name, (int)size);
  size = 1;
  RET(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
  RET(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6));
  RET(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
}

static void peers(void) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  struct ucred who;
  socklen_t size = sizeof who;
  RET(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &size));
  IS(who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
  gid_t groups[64];
  size = sizeof groups;
  int count = getgroups(64, groups);
  gid_t peer[64];
  size = sizeof peer;
  RET(getsockopt(pair[0], SOL_SOCKET, SO_PEERGROUPS, peer, &size));
  IS((int)(size / sizeof peer[0]) == count && !memcmp(peer, groups, size));
  RET(getsockopt(pair[0], SOL_SOCKET, SO_PEERSEC, text, &size));
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  size = sizeof who;
  RET(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
  SAY("%d %d %d", who.pid, (int)who.uid, (int)who.gid);
  size = sizeof peer;
  RET(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer, &size));
  RET(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &count, &(socklen_t){sizeof count}));
  RET(count);
  RET(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &count, &(socklen_t){sizeof count}));
  RET(count);
  uint64_t cookie = 0;
  size = sizeof cookie;
  RET(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size));
  IS(cookie != 0);
}

static void flags(void) {
  int fds[2];
  tcp_pair(fds);
  send(fds[0], "abcdef", 6, MSG_MORE);
  send(fds[0], "", 0, 0);
  send(fds[0], "g", 1, 0);
  RET(recv(fds[1], text, 3, MSG_PEEK));
  RET(recv(fds[1], text, 7, MSG_WAITALL));
  send(fds[0], "abcdef", 6, 0);
  RET(recv(fds[1], NULL, 4, MSG_TRUNC));
  RET(recv(fds[1], text, 4, 0));
  close(fds[0]);
  RET(recv(fds[1], text, 4, MSG_WAITALL));
  close(fds[1]);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
  send(fds[0], "abcdef", 6, 0);
  RET(recv(fds[1], text, 2, MSG_PEEK | MSG_TRUNC));
  RET(recv(fds[1], text, 2, MSG_TRUNC));
  // A reset: linger of zero.
  tcp_pair(fds);
  struct linger now = {1, 0};
  setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fds[0]);
  RET(recv(fds[1], text, 4, 0));
  RET(recv(fds[1], text, 4, 0));
  close(fds[1]);
  // What the peer did not read resets.
  tcp_pair(fds);
  send(fds[0], "x", 1, 0);
  send(fds[1], "y", 1, 0);
  close(fds[1]);
  RET(recv(fds[0], text, 4, 0));
  RET(recv(fds[0], text, 4, 0));
  close(fds[0]);
  tcp_pair(fds);
  shutdown(fds[0], SHUT_WR);
  RET(recv(fds[1], text, 4, 0));
  RET(send(fds[1], "back", 4, 0));
  RET(recv(fds[0], text, 4, 0));
  RET(ready(fds[1], POLLIN | POLLRDHUP | POLLOUT));
  RET(ready(fds[0], POLLIN | POLLRDHUP | POLLOUT));
}

int main(void) {
  int fds[2];
  setvbuf(stdout, NULL, _IOLBF, 0);
  tcp_pair(fds);
  low_water(fds);
  out_of_band(fds);
  time_stamps();
  options();
  device();
  peers();
  flags();
  return done();
}
