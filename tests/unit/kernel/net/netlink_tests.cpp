// SPDX-License-Identifier: Apache-2.0
// rtnetlink messages are read back with Linux's own headers.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <string>

#include "kernel/net/netlink_message.hpp"

using namespace uni;
using namespace uni::net;

namespace {

Interface wire() {
  Interface i;
  i.index = 2;
  std::strcpy(i.name, "eth0");
  i.mtu = 1500;
  i.up = i.running = true;
  i.mac[0] = 0x52;
  i.addresses[0] = {IpAddress::v4(10, 0, 2, 15), 24, false};
  i.address_count = 1;
  return i;
}

std::map<int, std::string> attributes(const rtattr* at, std::size_t size) {
  std::map<int, std::string> found;
  auto left = static_cast<unsigned>(size);
  for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
    found[at->rta_type] = std::string(static_cast<const char*>(RTA_DATA(at)), RTA_PAYLOAD(at));
  CHECK(left == 0);
  return found;
}

alignas(8) u8 buffer[4096];

const nlmsghdr* message() {
  return reinterpret_cast<const nlmsghdr*>(buffer);
}

}  // namespace

TEST_CASE("a link has its name, MTU and hardware address") {
  NetlinkBuilder out(buffer, sizeof buffer);
  out.link(wire(), 7, 99, kNlMulti);
  const nlmsghdr* m = message();
  REQUIRE(NLMSG_OK(m, out.size()));
  CHECK(m->nlmsg_type == RTM_NEWLINK);
  CHECK(m->nlmsg_flags == NLM_F_MULTI);
  CHECK(m->nlmsg_seq == 7);
  CHECK(m->nlmsg_pid == 99);
  const auto* body = static_cast<const ifinfomsg*>(NLMSG_DATA(m));
  CHECK(body->ifi_index == 2);
  CHECK((body->ifi_flags & (IFF_UP | IFF_BROADCAST | IFF_LOOPBACK)) == (IFF_UP | IFF_BROADCAST));
  auto a = attributes(IFLA_RTA(body), IFLA_PAYLOAD(m));
  CHECK(a[IFLA_IFNAME] == std::string("eth0\0", 5));
  CHECK(a[IFLA_MTU] == std::string("\xdc\x05\0\0", 4));
  CHECK(a[IFLA_ADDRESS].size() == 6);
}

TEST_CASE("an IPv4 address has its prefix, broadcast address and label") {
  NetlinkBuilder out(buffer, sizeof buffer);
  const Interface i = wire();
  out.address(i, i.addresses[0], 1, 2);
  const nlmsghdr* m = message();
  const auto* body = static_cast<const ifaddrmsg*>(NLMSG_DATA(m));
  CHECK(m->nlmsg_type == RTM_NEWADDR);
  CHECK(body->ifa_family == AF_INET);
  CHECK(body->ifa_prefixlen == 24);
  auto a = attributes(IFA_RTA(body), IFA_PAYLOAD(m));
  CHECK(a[IFA_LOCAL] == std::string("\x0a\0\x02\x0f", 4));
  CHECK(a[IFA_BROADCAST] == std::string("\x0a\0\x02\xff", 4));
  CHECK(a[IFA_LABEL] == std::string("eth0\0", 5));
}

TEST_CASE("routes are the connected network and the gateway") {
  NetlinkBuilder out(buffer, sizeof buffer);
  const Interface i = wire();
  const IpAddress gateway = IpAddress::v4(10, 0, 2, 2);
  out.route(i, &i.addresses[0], nullptr, 1, 2);
  const nlmsghdr* m = message();
  const auto* body = static_cast<const rtmsg*>(NLMSG_DATA(m));
  CHECK(body->rtm_dst_len == 24);
  CHECK(body->rtm_scope == RT_SCOPE_LINK);
  auto a = attributes(RTM_RTA(body), RTM_PAYLOAD(m));
  CHECK(a[RTA_DST] == std::string("\x0a\0\x02\0", 4));
  NetlinkBuilder second(buffer, sizeof buffer);
  second.route(i, nullptr, &gateway, 1, 2);
  CHECK(body->rtm_dst_len == 0);
  a = attributes(RTM_RTA(body), RTM_PAYLOAD(m));
  CHECK(a[RTA_GATEWAY] == std::string("\x0a\0\x02\x02", 4));
  CHECK(a.count(RTA_DST) == 0);
}

TEST_CASE("a message that does not fit is left out as a whole") {
  NetlinkBuilder out(buffer, 150);
  out.link(wire(), 1, 2, kNlMulti);
  const usize one = out.size();
  out.link(wire(), 1, 2, kNlMulti);
  CHECK(out.size() == one);
  out.done(1, 2);
  CHECK(out.size() == one + NLMSG_LENGTH(4));
}
