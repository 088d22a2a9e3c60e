// SPDX-License-Identifier: Apache-2.0
// sendmsg with the hop limit and traffic class of one datagram (ip(7), ipv6(7)), and what the receiver is told.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static int sender, receiver;
static struct sockaddr_storage address;
static socklen_t address_size;

static void make_pair(int family, int protocol) {
  memset(&address, 0, sizeof address);
  if (family == AF_INET) {
    struct sockaddr_in* a = (void*)&address;
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    struct sockaddr_in6* a = (void*)&address;
    a->sin6_addr = in6addr_loopback;
  }
  address.ss_family = family;
  address_size = sizeof address;
  sender = socket(family, SOCK_DGRAM, protocol);
  receiver = socket(family, SOCK_DGRAM, protocol);
  if (bind(receiver, (void*)&address, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)))
    SAY("cannot bind");
  getsockname(receiver, (void*)&address, &address_size);
  struct timeval limit = {2, 0};
  setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int on = 1;
  if (family == AF_INET) {
    setsockopt(receiver, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
    setsockopt(receiver, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  } else {
    setsockopt(receiver, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
    setsockopt(receiver, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
  }
}

static void add(struct msghdr* m, int level, int type, const void* data, size_t size) {
  struct cmsghdr* c = (void*)((char*)m->msg_control + m->msg_controllen);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(c), data, size);
  m->msg_controllen += CMSG_SPACE(size);
}

static void receive(void) {
  char byte, control[256];
  struct iovec io = {&byte, 1};
  struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(receiver, &m, 0) != 1) SAY("nothing came: %s", error_name(errno));
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    int value = 0;
    memcpy(&value, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    SAY("  level %d, type %d, %zu bytes: %d", c->cmsg_level, c->cmsg_type, c->cmsg_len - CMSG_LEN(0), value);
  }
}

static void send_with(int level, int type, const void* data, size_t size) {
  char byte = 'x';
  char control[256] __attribute__((aligned(8))) = {0};
  struct iovec io = {&byte, 1};
  struct msghdr m = {.msg_name = &address, .msg_namelen = address_size, .msg_iov = &io, .msg_iovlen = 1};
  m.msg_control = control;
  add(&m, level, type, data, size);
  errno = 0;
  long sent = sendmsg(sender, &m, 0);
  SAY("level %d, type %d, %zu bytes: %ld %s", level, type, size, sent, sent < 0 ? error_name(errno) : "");
  if (sent == 1) receive();
}

static void numbers(int level, int type) {
  const int values[] = {2, 1, 0, -1, -2, 255, 256};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
    if (type == IPV6_TCLASS && values[i] == -1) continue;  // versions of Linux differ
    send_with(level, type, &values[i], sizeof values[i]);
  }
  char text[8] = {4};
  send_with(level, type, text, 1);
  send_with(level, type, text, 8);
}

int main(void) {
  make_pair(AF_INET, 0);
  RET(sendto(sender, "x", 1, 0, (void*)&address, address_size));
  receive();
  numbers(IPPROTO_IP, IP_TTL);
  numbers(IPPROTO_IP, IP_TOS);
  RET(sendto(sender, "x", 1, 0, (void*)&address, address_size));
  receive();
  make_pair(AF_INET6, 0);
  RET(sendto(sender, "x", 1, 0, (void*)&address, address_size));
  receive();
  numbers(IPPROTO_IPV6, IPV6_HOPLIMIT);
  numbers(IPPROTO_IPV6, IPV6_TCLASS);

  SAY("UDP-Lite has ports of its own");
  struct sockaddr_storage of_udp = address;
  make_pair(AF_INET6, IPPROTO_UDPLITE);
  int same = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE);
  RET(bind(same, (void*)&of_udp, sizeof(struct sockaddr_in6)));
  RET(bind(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE), (void*)&of_udp, sizeof(struct sockaddr_in6)));
  RET(sendto(sender, "x", 1, 0, (void*)&address, address_size));
  receive();
  RET(sendto(sender, "x", 1, 0, (void*)&of_udp, address_size));
  char text[8];
  RET(recv(same, text, sizeof text, 0));
  int protocol = 0;
  socklen_t size = sizeof protocol;
  RET(getsockopt(same, SOL_SOCKET, SO_PROTOCOL, &protocol, &size));
  RET(protocol);
  make_pair(AF_INET, IPPROTO_UDPLITE);
  RET(sendto(sender, "x", 1, 0, (void*)&address, address_size));
  receive();

  SAY("UDP_SEGMENT for one message: many datagrams");
  make_pair(AF_INET, 0);
  uint16_t segment = 3;
  char content[] = "abcdefgh", control[64] __attribute__((aligned(8))) = {0};
  struct iovec io = {content, 8};
  struct msghdr m = {
      .msg_name = &address, .msg_namelen = address_size, .msg_iov = &io, .msg_iovlen = 1, .msg_control = control};
  add(&m, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
  RET(sendmsg(sender, &m, 0));
  for (int i = 0; i < 3; i++)
    RET(recv(receiver, text, sizeof text, 0));
  SAY("control messages that UDP does not know");
  const struct {
    int level, type;
  } unknown[] = {{IPPROTO_UDP, 99}, {IPPROTO_IP, 99}, {IPPROTO_TCP, 99}, {SOL_SOCKET, 99}};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    m.msg_controllen = 0;
    add(&m, unknown[i].level, unknown[i].type, &segment, sizeof segment);
    SAY("  level %d", unknown[i].level);
    RET(sendmsg(sender, &m, 0));
  }
  return done();
}
