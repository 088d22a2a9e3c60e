// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 multicast over the loopback (ip(7), ipv6(7)): membership and its errors, source filters, who gets a
// datagram, /proc/net/igmp and igmp6.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static unsigned lo;

static struct sockaddr_in v4(const char* text, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, text, &a.sin_addr);
  return a;
}

static struct sockaddr_in6 v6(const char* text, int port) {
  struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = lo};
  inet_pton(AF_INET6, text, &a.sin6_addr);
  return a;
}

static int member(int fd, int option, const char* group, const char* address, int index) {
  struct ip_mreqn request = {.imr_ifindex = index};
  inet_pton(AF_INET, group, &request.imr_multiaddr);
  inet_pton(AF_INET, address, &request.imr_address);
  return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static int member6(int fd, int option, const char* group, int index) {
  struct ipv6_mreq request = {.ipv6mr_interface = index};
  inet_pton(AF_INET6, group, &request.ipv6mr_multiaddr);
  return setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof request);
}

static int source(int fd, int option, const char* group, const char* from) {
  struct ip_mreq_source request;
  inet_pton(AF_INET, group, &request.imr_multiaddr);
  inet_pton(AF_INET, "127.0.0.1", &request.imr_interface);
  inet_pton(AF_INET, from, &request.imr_sourceaddr);
  return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static int group(int fd, int level, int option, void* address, size_t size) {
  struct group_req request = {.gr_interface = lo};
  memcpy(&request.gr_group, address, size);
  return setsockopt(fd, level, option, &request, sizeof request);
}

static int group_source(int fd, int level, int option, void* address, void* from, size_t size) {
  struct group_source_req request = {.gsr_interface = lo};
  memcpy(&request.gsr_group, address, size);
  memcpy(&request.gsr_source, from, size);
  return setsockopt(fd, level, option, &request, sizeof request);
}

static int set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

static int get(int fd, int level, int option) {
  int value = -7;
  socklen_t size = sizeof value;
  return getsockopt(fd, level, option, &value, &size) ? -1 : value;
}

static int receiver(struct sockaddr* at, socklen_t size) {
  int fd = socket(at->sa_family, SOCK_DGRAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, at, size)) SAY("bind: %s", error_name(errno));
  return fd;
}

// The bytes that wait on the socket, -1 where there are none.
static long got(int fd) {
  char buffer[100];
  struct pollfd f = {fd, POLLIN, 0};
  if (poll(&f, 1, 100) != 1) return -1;
  return recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
}

// How often a group of the interface stands in a file of /proc/net, and whether the line has `text`.
static int in_proc(const char* file, const char* address) {
  char line[200], device[20] = "";
  int found = 0;
  FILE* f = fopen(file, "r");
  if (!f) return -1;
  while (fgets(line, sizeof line, f)) {
    if (line[0] != '\t') sscanf(line, "%*d %19s", device);
    if (!strcmp(device, "lo") && strstr(line, address)) found++;
  }
  fclose(f);
  return found;
}

static void errors(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
  struct ip_mreq small = {0};
  RET(member(fd, IP_ADD_MEMBERSHIP, "10.0.0.1", "0.0.0.0", lo));
  RET(member(fd, IP_ADD_MEMBERSHIP, "239.1.1.1", "0.0.0.0", 4711));
  RET(member(fd, IP_ADD_MEMBERSHIP, "239.1.1.1", "203.0.113.77", 0));
  RET(member(fd, IP_DROP_MEMBERSHIP, "239.1.1.1", "0.0.0.0", lo));
  RET(member(fd, IP_ADD_MEMBERSHIP, "239.1.1.1", "0.0.0.0", lo));
  RET(member(fd, IP_ADD_MEMBERSHIP, "239.1.1.1", "0.0.0.0", lo));
  RET(member(fd, IP_ADD_MEMBERSHIP, "239.1.1.1", "127.0.0.1", 0));
  RET(member(fd, IP_DROP_MEMBERSHIP, "239.1.1.1", "127.0.0.1", 0));
  RET(member(fd, IP_DROP_MEMBERSHIP, "239.1.1.1", "0.0.0.0", lo));
  RET(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &small, sizeof small - 1));
  RET(member(tcp, IP_ADD_MEMBERSHIP, "239.1.1.1", "0.0.0.0", lo));
  for (int i = 0; i < 22; i++) {
    char name[20];
    snprintf(name, sizeof name, "239.1.2.%d", i);
    if (member(fd, IP_ADD_MEMBERSHIP, name, "0.0.0.0", lo)) {
      SAY("group %d: %s", i, error_name(errno));
      break;
    }
  }
  RET(in_proc("/proc/net/igmp", "020201EF"));
  RET(in_proc("/proc/net/igmp", "010000E0"));
  close(fd);
  RET(in_proc("/proc/net/igmp", "020201EF"));
  close(tcp);
}

static void options(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
  struct in_addr address = {htonl(INADDR_LOOPBACK)}, back = {1};
  socklen_t size = sizeof back;
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_TTL));
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_LOOP));
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_ALL));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 0));
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_TTL));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 256));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_TTL, -2));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_TTL, -1));
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_TTL));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 7));
  RET(get(fd, IPPROTO_IP, IP_MULTICAST_LOOP));
  RET(set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 7));
  RET(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof address));
  RET(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &back, &size));
  SAY("%s %u", inet_ntoa(back), size);
  address.s_addr = inet_addr("203.0.113.77");
  RET(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof address));
  struct ip_mreqn request = {.imr_ifindex = 4711};
  RET(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
  request.imr_ifindex = lo;
  RET(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
  RET(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &back, &size));
  SAY("%s", inet_ntoa(back));
  RET(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, 3));
  RET(get(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS));
  RET(get(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP));
  RET(get(six, IPPROTO_IPV6, IPV6_MULTICAST_IF));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 256));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 9));
  RET(get(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS));
  RET(get(six, IPPROTO_IP, IP_MULTICAST_TTL));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0));
  RET(get(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_IF, 4711));
  RET(set(six, IPPROTO_IPV6, IPV6_MULTICAST_IF, lo));
  IS(get(six, IPPROTO_IPV6, IPV6_MULTICAST_IF) == (int)lo);
  close(fd);
  close(six);
}

static void delivery(void) {
  struct sockaddr_in any = v4("0.0.0.0", 45600), to = v4("239.1.1.1", 45600), own = v4("127.0.0.1", 45600);
  int a = receiver((void*)&any, sizeof any), b = receiver((void*)&to, sizeof to);
  int c = receiver((void*)&own, sizeof own), sender = socket(AF_INET, SOCK_DGRAM, 0);
  struct in_addr interface = {htonl(INADDR_LOOPBACK)};
  RET(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface));
  RET(sendto(sender, "nobody", 6, 0, (void*)&to, sizeof to));
  RET(got(a));
  RET(member(a, IP_ADD_MEMBERSHIP, "239.1.1.1", "127.0.0.1", 0));
  RET(sendto(sender, "hello", 5, 0, (void*)&to, sizeof to));
  RET(got(a));
  RET(got(b));
  RET(got(c));
  // Without IP_MULTICAST_ALL only members get it.
  RET(set(b, IPPROTO_IP, IP_MULTICAST_ALL, 0));
  RET(sendto(sender, "again", 5, 0, (void*)&to, sizeof to));
  RET(got(a));
  RET(got(b));
  RET(member(b, IP_ADD_MEMBERSHIP, "239.1.1.1", "127.0.0.1", 0));
  // The loopback has no copy that IP_MULTICAST_LOOP could spare.
  RET(set(sender, IPPROTO_IP, IP_MULTICAST_LOOP, 0));
  RET(sendto(sender, "looped", 6, 0, (void*)&to, sizeof to));
  RET(got(a));
  RET(got(b));
  RET(set(a, IPPROTO_IP, IP_PKTINFO, 1));
  RET(set(a, IPPROTO_IP, IP_RECVTTL, 1));
  RET(set(sender, IPPROTO_IP, IP_MULTICAST_TTL, 5));
  RET(sendto(sender, "info", 4, 0, (void*)&to, sizeof to));
  char control[200], text[20];
  struct sockaddr_in from;
  struct iovec part = {text, sizeof text};
  struct msghdr m = {&from, sizeof from, &part, 1, control, sizeof control, 0};
  RET(recvmsg(a, &m, 0));
  IS(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  for (struct cmsghdr* h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
    if (h->cmsg_type == IP_TTL) SAY("ttl %d", *(int*)CMSG_DATA(h));
    if (h->cmsg_type != IP_PKTINFO) continue;
    struct in_pktinfo* i = (void*)CMSG_DATA(h);
    SAY("to %s", inet_ntoa(i->ipi_addr));
    SAY("at %s %d", inet_ntoa(i->ipi_spec_dst), i->ipi_ifindex == (int)lo);
  }
  RET(got(b));
  RET(member(a, IP_DROP_MEMBERSHIP, "239.1.1.1", "127.0.0.1", 0));
  RET(connect(a, (void*)&own, sizeof own));
  RET(sendto(sender, "connected", 9, 0, (void*)&to, sizeof to));
  RET(got(a));
  RET(got(b));
  // A source address of the loopback chooses the interface.
  RET(sendto(c, "source", 6, 0, (void*)&to, sizeof to));
  RET(got(b));
  RET(connect(sender, (void*)&to, sizeof to));
  RET(send(sender, "by name", 7, 0));
  RET(got(b));
  close(a);
  close(b);
  close(c);
  close(sender);
}

static void sources(void) {
  struct sockaddr_in to = v4("239.1.1.2", 45601), one = v4("127.0.0.1", 0), two = v4("127.0.0.2", 0);
  int fd = receiver((void*)&to, sizeof to);
  int first = receiver((void*)&one, sizeof one), second = receiver((void*)&two, sizeof two);
  RET(source(fd, IP_BLOCK_SOURCE, "239.1.1.2", "127.0.0.1"));
  RET(source(fd, IP_ADD_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.1"));
  RET(source(fd, IP_ADD_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.1"));
  RET(source(fd, IP_BLOCK_SOURCE, "239.1.1.2", "127.0.0.2"));
  RET(sendto(first, "one", 3, 0, (void*)&to, sizeof to));
  RET(got(fd));
  RET(sendto(second, "second", 6, 0, (void*)&to, sizeof to));
  RET(got(fd));
  RET(source(fd, IP_DROP_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.9"));
  RET(source(fd, IP_ADD_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.2"));
  struct {
    struct ip_msfilter head;
    struct in_addr more[12];
  } filter;
  memset(&filter, 0, sizeof filter);
  filter.head.imsf_multiaddr = to.sin_addr;
  filter.head.imsf_interface.s_addr = htonl(INADDR_LOOPBACK);
  filter.head.imsf_numsrc = 8;
  socklen_t size = sizeof filter;
  RET(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, &size));
  SAY("mode %u, %u sources, %u bytes", filter.head.imsf_fmode, filter.head.imsf_numsrc, size);
  RET(source(fd, IP_DROP_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.1"));
  RET(source(fd, IP_DROP_SOURCE_MEMBERSHIP, "239.1.1.2", "127.0.0.2"));
  RET(member(fd, IP_DROP_MEMBERSHIP, "239.1.1.2", "127.0.0.1", 0));
  // All but one.
  RET(group(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &to, sizeof to));
  RET(group(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &to, sizeof to));
  RET(group_source(fd, IPPROTO_IP, MCAST_BLOCK_SOURCE, &to, &one, sizeof to));
  RET(group_source(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &to, &one, sizeof to));
  RET(sendto(first, "one", 3, 0, (void*)&to, sizeof to));
  RET(got(fd));
  RET(sendto(second, "second", 6, 0, (void*)&to, sizeof to));
  RET(got(fd));
  RET(group_source(fd, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, &to, &one, sizeof to));
  RET(sendto(first, "one", 3, 0, (void*)&to, sizeof to));
  RET(got(fd));
  filter.head.imsf_fmode = MCAST_INCLUDE;
  filter.head.imsf_numsrc = 1;
  filter.head.imsf_slist[0] = two.sin_addr;
  RET(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, IP_MSFILTER_SIZE(1)));
  RET(sendto(first, "one", 3, 0, (void*)&to, sizeof to));
  RET(got(fd));
  RET(sendto(second, "second", 6, 0, (void*)&to, sizeof to));
  RET(got(fd));
  filter.head.imsf_numsrc = 11;
  RET(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, IP_MSFILTER_SIZE(11)));
  RET(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, IP_MSFILTER_SIZE(2)));
  filter.head.imsf_numsrc = 0;
  RET(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, IP_MSFILTER_SIZE(0)));
  RET(group(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &to, sizeof to));
  struct sockaddr_in6 wrong = v6("ff05::1", 0);
  RET(group(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &wrong, sizeof wrong));
  close(fd);
  close(first);
  close(second);
}

static void six(void) {
  struct sockaddr_in6 any = v6("::", 45602), to = v6("ff05::4711", 45602), one = v6("::1", 0);
  int a = receiver((void*)&any, sizeof any), sender = socket(AF_INET6, SOCK_DGRAM, 0);
  RET(member6(a, IPV6_JOIN_GROUP, "::1", lo));
  RET(member6(a, IPV6_JOIN_GROUP, "ff05::4711", 4711));
  RET(member6(a, IPV6_LEAVE_GROUP, "ff05::4711", lo));
  RET(member6(a, IPV6_JOIN_GROUP, "ff05::4711", lo));
  RET(member6(a, IPV6_JOIN_GROUP, "ff05::4711", lo));
  RET(in_proc("/proc/net/igmp6", "ff050000000000000000000000004711"));
  RET(in_proc("/proc/net/igmp6", "ff020000000000000000000000000001"));
  // The loopback has no route for groups.
  RET(set(sender, IPPROTO_IPV6, IPV6_MULTICAST_IF, lo));
  RET(sendto(sender, "hello", 5, 0, (void*)&to, sizeof to));
  RET(group_source(a, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, &to, &one, sizeof to));
  RET(group_source(a, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, &to, &one, sizeof to));
  RET(group_source(a, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, &to, &one, sizeof to));
  RET(group_source(a, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &to, &one, sizeof to));
  RET(group_source(a, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, &to, &one, sizeof to));
  RET(member6(a, IPV6_LEAVE_GROUP, "ff05::4711", 0));
  RET(in_proc("/proc/net/igmp6", "ff050000000000000000000000004711"));
  close(a);
  close(sender);
}

// An interface other than the loopback with an IPv6 address, 0 where there is none.
static unsigned wire(void) {
  unsigned index, found = 0;
  char line[200];
  FILE* f = fopen("/proc/net/if_inet6", "r");
  while (f && fgets(line, sizeof line, f)) {
    if (sscanf(line, "%*s %x", &index) == 1 && index != lo) found = index;
  }
  if (f) fclose(f);
  return found;
}

// A datagram with hop limit 0 comes back to members of this machine and goes no further. 1 where there is no wire.
static int looped(void) {
  struct sockaddr_in6 any = v6("::", 45603), to = v6("ff12::4711", 45603), from = {0};
  int a = receiver((void*)&any, sizeof any), b = receiver((void*)&any, sizeof any);
  int sender = socket(AF_INET6, SOCK_DGRAM, 0);
  unsigned index = wire();
  char control[200], text[20];
  if (!index) return 1;
  to.sin6_scope_id = index;
  set(sender, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0);
  set(a, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (member6(a, IPV6_JOIN_GROUP, "ff12::4711", index) || member6(b, IPV6_JOIN_GROUP, "ff12::4711", index)) return 0;
  // A new address is not used before it is known to be unique.
  for (int i = 0; i < 50 && sendto(sender, "again", 5, 0, (void*)&to, sizeof to) != 5; i++)
    usleep(100000);
  struct iovec part = {text, sizeof text};
  struct msghdr m = {&from, sizeof from, &part, 1, control, sizeof control, 0};
  if (got(b) != 5 || recvmsg(a, &m, MSG_DONTWAIT) != 5) return 0;
  if (!IN6_IS_ADDR_LINKLOCAL(&from.sin6_addr) || from.sin6_scope_id != index) return 0;
  struct in6_pktinfo* i = (void*)CMSG_DATA(CMSG_FIRSTHDR(&m));
  if (i->ipi6_ifindex != index || memcmp(&i->ipi6_addr, &to.sin6_addr, 16)) return 0;
  set(sender, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  if (sendto(sender, "silent", 6, 0, (void*)&to, sizeof to) != 6 || got(a) != -1) return 0;
  close(a);
  close(b);
  close(sender);
  return 1;
}

int main(void) {
  alarm(30);
  lo = if_nametoindex("lo");
  errors();
  options();
  delivery();
  sources();
  six();
  IS(looped());
  return check_failures;
}
