// SPDX-License-Identifier: Apache-2.0
// Raw ICMP sockets and "ping" sockets over the loopback (raw(7), icmp(7)): echo, identifiers, ICMP_FILTER, IP_HDRINCL,
// and the error queue (ip(7), IP_RECVERR).
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static struct sockaddr_in lo4(int port) {
  return (struct sockaddr_in){AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
}

static struct sockaddr_in6 lo6(int port) {
  return (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

static unsigned short checksum(const void* data, int size) {
  const unsigned short* word = data;
  unsigned sum = 0;
  for (; size > 0; size -= 2)
    sum += *word++;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static int set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

static int ready(int fd, int events) {
  struct pollfd f = {fd, events, 0};
  return poll(&f, 1, 200) == 1 ? f.revents : 0;
}

struct echo {
  struct icmphdr head;
  char text[8];
};

static struct echo request(int id, int sequence) {
  struct echo e = {.head = {.type = ICMP_ECHO}, .text = "payload"};
  e.head.un.echo.id = htons(id);
  e.head.un.echo.sequence = htons(sequence);
  e.head.checksum = checksum(&e, sizeof e);
  return e;
}

static void raw4(void) {
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), all = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  struct sockaddr_in to = lo4(0), from;
  socklen_t size = sizeof from;
  unsigned mask = ~(1u << ICMP_ECHOREPLY), back = 0;
  RET(getsockname(fd, (void*)&from, &size));
  SAY("port %d", ntohs(from.sin_port));
  RET(setsockopt(fd, SOL_RAW, ICMP_FILTER, &mask, sizeof mask));
  RET(getsockopt(fd, SOL_RAW, ICMP_FILTER, &back, &size));
  IS(back == mask && size == sizeof mask);
  struct echo e = request(4711, 1);
  RET(sendto(fd, &e, sizeof e, 0, (void*)&to, sizeof to));
  char buffer[100];
  size = sizeof from;
  RET(ready(fd, POLLIN));
  RET(recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (void*)&from, &size));
  struct iphdr* ip = (void*)buffer;
  struct echo* reply = (void*)(buffer + 20);
  SAY("version %d, %d words, %d bytes, protocol %d", ip->version, ip->ihl, ntohs(ip->tot_len), ip->protocol);
  IS(ip->saddr == to.sin_addr.s_addr && ip->daddr == to.sin_addr.s_addr && checksum(ip, 20) == 0);
  SAY("type %d, id %d, sequence %d, %s", reply->head.type, ntohs(reply->head.un.echo.id),
      ntohs(reply->head.un.echo.sequence), reply->text);
  IS(checksum(reply, sizeof *reply) == 0);
  IS(from.sin_addr.s_addr == to.sin_addr.s_addr && from.sin_port == 0);
  RET(recv(fd, buffer, sizeof buffer, MSG_DONTWAIT));
  // Another raw socket sees the request and the answer.
  RET(recv(all, buffer, sizeof buffer, MSG_DONTWAIT));
  SAY("type %d", reply->head.type);
  RET(recv(all, buffer, sizeof buffer, MSG_DONTWAIT));
  SAY("type %d", reply->head.type);
  // With a header of our own.
  int own = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  struct {
    struct iphdr ip;
    struct echo echo;
  } packet = {{.version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_ICMP}, request(12, 2)};
  packet.ip.daddr = to.sin_addr.s_addr;
  packet.ip.saddr = inet_addr("127.0.0.5");
  packet.ip.tot_len = htons(sizeof packet);
  RET(sendto(own, &packet, sizeof packet, 0, (void*)&to, sizeof to));
  RET(recv(all, buffer, sizeof buffer, MSG_DONTWAIT));
  SAY("ttl %d from %s", ip->ttl, inet_ntoa((struct in_addr){ip->saddr}));
  RET(recv(all, buffer, sizeof buffer, MSG_DONTWAIT));
  SAY("ttl %d to %s", ip->ttl, inet_ntoa((struct in_addr){ip->daddr}));
  RET(sendto(own, &packet, 10, 0, (void*)&to, sizeof to));
  close(fd);
  close(all);
  close(own);
}

static void raw6(void) {
  int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  struct sockaddr_in6 to = lo6(0);
  struct icmp6_filter filter, back;
  socklen_t size = sizeof back;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  RET(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
  RET(getsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &back, &size));
  IS(size == sizeof filter && !memcmp(&filter, &back, size));
  struct icmp6_hdr e = {.icmp6_type = ICMP6_ECHO_REQUEST};
  e.icmp6_id = htons(77);
  RET(sendto(fd, &e, sizeof e, 0, (void*)&to, sizeof to));
  RET(ready(fd, POLLIN));
  RET(recv(fd, &e, sizeof e, MSG_DONTWAIT));
  SAY("type %d, id %d", e.icmp6_type, ntohs(e.icmp6_id));
  IS(e.icmp6_cksum != 0);
  RET(recv(fd, &e, sizeof e, MSG_DONTWAIT));
  close(fd);
}

// Makes a ping socket while the range of groups allows it, and puts the range back.
static int ping_socket(int family, int protocol) {
  const char* path = "/proc/sys/net/ipv4/ping_group_range";
  char range[50] = "";
  int file = open(path, O_RDWR);
  ssize_t size = pread(file, range, sizeof range - 1, 0);
  pwrite(file, "1 0", 3, 0);
  int fd = socket(family, SOCK_DGRAM, protocol);
  SAY("outside of the range: %s", fd < 0 ? error_name(errno) : "ok");
  pwrite(file, "0 0", 3, 0);
  fd = socket(family, SOCK_DGRAM, protocol);
  SAY("within: %s", fd < 0 ? error_name(errno) : "ok");
  pwrite(file, range, size, 0);
  close(file);
  return fd;
}

static void ping(void) {
  int fd = ping_socket(AF_INET, IPPROTO_ICMP), six = ping_socket(AF_INET6, IPPROTO_ICMPV6);
  struct sockaddr_in own = lo4(777), to = lo4(0), from;
  socklen_t size = sizeof from;
  struct echo e = request(4711, 5), reply;
  RET(bind(fd, (void*)&own, sizeof own));
  RET(getsockname(fd, (void*)&from, &size));
  SAY("port %d", ntohs(from.sin_port));
  RET(sendto(fd, &e, sizeof e, 0, (void*)&to, sizeof to));
  RET(ready(fd, POLLIN));
  RET(recvfrom(fd, &reply, sizeof reply, MSG_DONTWAIT, (void*)&from, &size));
  SAY("type %d, id %d, sequence %d, port %d", reply.head.type, ntohs(reply.head.un.echo.id),
      ntohs(reply.head.un.echo.sequence), ntohs(from.sin_port));
  IS(checksum(&reply, sizeof reply) == 0);
  RET(sendto(fd, &e, 7, 0, (void*)&to, sizeof to));
  e.head.type = ICMP_TIMESTAMP;
  RET(sendto(fd, &e, sizeof e, 0, (void*)&to, sizeof to));
  struct sockaddr_in6 to6 = lo6(0);
  struct icmp6_hdr e6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
  RET(connect(six, (void*)&to6, sizeof to6));
  RET(send(six, &e6, sizeof e6, 0));
  RET(ready(six, POLLIN));
  RET(recv(six, &e6, sizeof e6, MSG_DONTWAIT));
  SAY("type %d", e6.icmp6_type);
  close(fd);
  close(six);
}

static void show_error(int fd) {
  char data[20] = "", control[300], name[60];
  struct sockaddr_in6 to;
  struct iovec part = {data, sizeof data - 1};
  struct msghdr m = {&to, sizeof to, &part, 1, control, sizeof control, 0};
  if (RET(recvmsg(fd, &m, MSG_ERRQUEUE)) < 0) return;
  SAY("%s, flags %x, port %d", data, m.msg_flags, ntohs(to.sin6_port));
  for (struct cmsghdr* h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
    struct sock_extended_err* e = (void*)CMSG_DATA(h);
    struct sockaddr_in* v4 = (void*)SO_EE_OFFENDER(e);
    struct sockaddr_in6* v6 = (void*)v4;
    SAY("%d %d, %zu bytes: %s origin %d type %d code %d info %d", h->cmsg_level, h->cmsg_type, (size_t)h->cmsg_len,
        error_name(e->ee_errno), e->ee_origin, e->ee_type, e->ee_code, e->ee_info);
    SAY("by %s",
        v4->sin_family == AF_INET ? inet_ntoa(v4->sin_addr) : inet_ntop(AF_INET6, &v6->sin6_addr, name, sizeof name));
  }
}

static void errors(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0), value;
  struct sockaddr_in to = lo4(9);
  struct sockaddr_in6 to6 = lo6(9);
  socklen_t size = sizeof value;
  RET(recv(fd, &value, 1, MSG_ERRQUEUE));
  RET(sendto(fd, "lost", 4, 0, (void*)&to, sizeof to));
  RET(ready(fd, 0));
  RET(set(fd, IPPROTO_IP, IP_RECVERR, 1));
  RET(sendto(fd, "first", 5, 0, (void*)&to, sizeof to));
  RET(ready(fd, 0));
  RET(sendto(fd, "refused", 7, 0, (void*)&to, sizeof to));
  show_error(fd);
  show_error(fd);
  RET(sendto(fd, "second", 6, 0, (void*)&to, sizeof to));
  RET(ready(fd, POLLIN));
  RET(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size));
  SAY("%s", error_name(value));
  RET(ready(fd, 0));
  show_error(fd);
  RET(ready(fd, 0));
  RET(set(six, IPPROTO_IPV6, IPV6_RECVERR, 1));
  RET(sendto(six, "six", 3, 0, (void*)&to6, sizeof to6));
  show_error(six);
  RET(recv(six, &value, 1, MSG_DONTWAIT));
  close(fd);
  close(six);
}

int main(void) {
  alarm(30);
  raw4();
  raw6();
  ping();
  errors();
  return check_failures;
}
