// SPDX-License-Identifier: Apache-2.0
// netlink(7) as ip(8), ss(8) and udev ask it: rules, neighbours, the sockets of the machine, and the kernel's events.
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static char buffer[65536];

static void ask(int fd, int type, const void* body, size_t size) {
  struct {
    struct nlmsghdr head;
    char body[100];
  } request = {.head = {sizeof(struct nlmsghdr) + size, type, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}};
  memcpy(request.body, body, size);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, &request, request.head.nlmsg_len, 0, (void*)&kernel, sizeof kernel) < 0)
    SAY("request: %s", error_name(errno));
}

// Calls what for each message of the answer, up to its end.
static void answers(int fd, void (*what)(struct nlmsghdr*)) {
  for (;;) {
    struct pollfd f = {fd, POLLIN, 0};
    if (poll(&f, 1, 2000) != 1) return (void)SAY("no answer");
    int size = recv(fd, buffer, sizeof buffer, 0);
    for (struct nlmsghdr* h = (void*)buffer; NLMSG_OK(h, (unsigned)size); h = NLMSG_NEXT(h, size)) {
      if (h->nlmsg_type == NLMSG_DONE) return (void)SAY("done");
      if (h->nlmsg_type == NLMSG_ERROR) return (void)SAY("error %d", *(int*)NLMSG_DATA(h));
      what(h);
    }
  }
}

static void show_rule(struct nlmsghdr* h) {
  struct fib_rule_hdr* r = NLMSG_DATA(h);
  struct rtattr* a = (void*)((char*)r + NLMSG_ALIGN(sizeof *r));
  int size = h->nlmsg_len - NLMSG_LENGTH(sizeof *r);
  unsigned priority = 0;
  for (; RTA_OK(a, size); a = RTA_NEXT(a, size)) {
    if (a->rta_type == FRA_PRIORITY) priority = *(unsigned*)RTA_DATA(a);
  }
  SAY("rule %d, family %d, table %d, action %d, priority %u", h->nlmsg_type, r->family, r->table, r->action, priority);
}

static void check_neighbour(struct nlmsghdr* h) {
  struct ndmsg* n = NLMSG_DATA(h);
  if (h->nlmsg_type != RTM_NEWNEIGH || (n->ndm_family != AF_INET && n->ndm_family != AF_INET6)) SAY("no neighbour");
}

static int wanted_port, wanted_inode;
static void show_socket(struct nlmsghdr* h) {
  struct inet_diag_msg* d = NLMSG_DATA(h);
  if (ntohs(d->id.idiag_sport) != wanted_port) return;
  SAY("type %d, family %d, state %d, %s, inode %d", h->nlmsg_type, d->idiag_family, d->idiag_state,
      inet_ntoa(*(struct in_addr*)d->id.idiag_src), (int)d->idiag_inode == wanted_inode);
}

static void sockets(int fd, int type, int protocol, unsigned states) {
  int s = socket(AF_INET, type, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof a;
  struct stat info;
  bind(s, (void*)&a, sizeof a);
  if (type == SOCK_STREAM) listen(s, 5);
  getsockname(s, (void*)&a, &size);
  fstat(s, &info);
  wanted_port = ntohs(a.sin_port);
  wanted_inode = info.st_ino;
  struct inet_diag_req_v2 request = {.sdiag_family = AF_INET, .sdiag_protocol = protocol, .idiag_states = states};
  ask(fd, SOCK_DIAG_BY_FAMILY, &request, sizeof request);
  answers(fd, show_socket);
  close(s);
}

int main(void) {
  alarm(30);
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  struct fib_rule_hdr rules = {.family = AF_INET};
  ask(fd, RTM_GETRULE, &rules, sizeof rules);
  answers(fd, show_rule);
  rules.family = AF_INET6;
  ask(fd, RTM_GETRULE, &rules, sizeof rules);
  answers(fd, show_rule);
  struct ndmsg neighbours = {.ndm_family = AF_UNSPEC};
  ask(fd, RTM_GETNEIGH, &neighbours, sizeof neighbours);
  answers(fd, check_neighbour);
  close(fd);
  fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  sockets(fd, SOCK_STREAM, IPPROTO_TCP, 1 << 10);
  sockets(fd, SOCK_STREAM, IPPROTO_TCP, 1 << 1);
  sockets(fd, SOCK_DGRAM, IPPROTO_UDP, -1);
  close(fd);
  fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  struct sockaddr_nl all = {.nl_family = AF_NETLINK, .nl_groups = 1};
  RET(bind(fd, (void*)&all, sizeof all));
  RET(recv(fd, buffer, sizeof buffer, 0));
  RET(sendto(fd, buffer, 20, 0, (void*)&(struct sockaddr_nl){.nl_family = AF_NETLINK}, sizeof all));
  close(fd);
  RET(socket(AF_NETLINK, SOCK_RAW, 31));
  RET(socket(AF_NETLINK, SOCK_RAW, 32));
  return 0;
}
