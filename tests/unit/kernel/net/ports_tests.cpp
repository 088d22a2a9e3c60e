// SPDX-License-Identifier: Apache-2.0
// Port rules against what Linux does (socket(7), ip(7)).
#include <catch2/catch.hpp>
#include <memory>

#include "kernel/dev/random.hpp"
#include "kernel/net/ports.hpp"

namespace uni::random {
u64 below(u64 bound) {
  return bound / 2;
}
}  // namespace uni::random

using namespace uni;
using namespace uni::net;

namespace {

constexpr IpAddress kHere = IpAddress::v4(192, 0, 2, 1);

PortUse use_of(const IpAddress& ip, u16 port) {
  PortUse use;
  use.ip = ip;
  use.port = port;
  return use;
}

std::unique_ptr<PortTable> table_of(PortTable::Rules rules) {
  return std::make_unique<PortTable>(rules);
}

}  // namespace

TEST_CASE("a port belongs to one socket, unless both reuse it and neither listens") {
  auto table = table_of(PortTable::Rules::kTcp);
  PortUse a = use_of(kAnyV4, 80);
  PortUse b = use_of(kHere, 80);
  REQUIRE(table->add(a));
  CHECK_FALSE(table->add(b));
  table->remove(a);
  a.port = 80;
  a.reuse_address = b.reuse_address = true;
  REQUIRE(table->add(a));
  REQUIRE(table->add(b));
  table->remove(b);
  a.listening = true;
  b.port = 80;
  CHECK_FALSE(table->add(b));
}

TEST_CASE("different addresses share a port") {
  auto table = table_of(PortTable::Rules::kTcp);
  PortUse a = use_of(kHere, 80);
  PortUse b = use_of(IpAddress::v4(127, 0, 0, 1), 80);
  CHECK(table->add(a));
  CHECK(table->add(b));
}

TEST_CASE("an IPv6 wildcard takes IPv4's port too, unless it is IPv6 only") {
  auto table = table_of(PortTable::Rules::kTcp);
  PortUse six = use_of(kAnyV6, 80);
  six.dual_stack = true;
  PortUse four = use_of(kAnyV4, 80);
  REQUIRE(table->add(six));
  CHECK_FALSE(table->add(four));
  table->remove(six);
  six.port = 80;
  six.dual_stack = false;
  REQUIRE(table->add(six));
  CHECK(table->add(four));
}

TEST_CASE("SO_REUSEPORT needs both sides and the same user") {
  auto table = table_of(PortTable::Rules::kTcp);
  PortUse a = use_of(kAnyV4, 80);
  PortUse b = use_of(kAnyV4, 80);
  a.reuse_port = true;
  REQUIRE(table->add(a));
  CHECK_FALSE(table->add(b));
  b.reuse_port = true;
  b.uid = 1000;
  CHECK_FALSE(table->add(b));
  b.uid = 0;
  REQUIRE(table->add(b));
  a.listening = true;
  CHECK(table->may_listen(b));
}

TEST_CASE("port 0 gives a free ephemeral port") {
  auto table = table_of(PortTable::Rules::kUdp);
  PortUse a = use_of(kAnyV4, 0);
  PortUse b = use_of(kAnyV4, 0);
  REQUIRE(table->add(a));
  REQUIRE(table->add(b));
  CHECK(a.port >= kEphemeralFirst);
  CHECK(b.port <= kEphemeralLast);
  CHECK(a.port != b.port);
}

TEST_CASE("a packet finds the connected socket, then the exact address, then the wildcard") {
  auto table = table_of(PortTable::Rules::kUdp);
  const IpAddress peer = IpAddress::v4(198, 51, 100, 7);
  PortUse any = use_of(kAnyV4, 53);
  PortUse exact = use_of(kHere, 53);
  PortUse connected = use_of(kHere, 53);
  for (PortUse* use : {&any, &exact, &connected}) {
    use->reuse_address = true;
    REQUIRE(table->add(*use));
  }
  connected.connected = true;
  connected.remote = peer;
  connected.remote_port = 9;
  CHECK(table->find(kHere, 53, &peer, 9, 0) == &connected);
  CHECK(table->find(kHere, 53, &peer, 10, 0) == &exact);
  CHECK(table->find(IpAddress::v4(127, 0, 0, 1), 53, &peer, 9, 0) == &any);
  CHECK(table->find(kHere, 54, &peer, 9, 0) == nullptr);
}

TEST_CASE("only listeners are found for TCP, and a group shares the connections") {
  auto table = table_of(PortTable::Rules::kTcp);
  PortUse a = use_of(kAnyV4, 80);
  PortUse b = use_of(kAnyV4, 80);
  a.reuse_port = b.reuse_port = true;
  REQUIRE(table->add(a));
  REQUIRE(table->add(b));
  CHECK(table->find(kHere, 80, nullptr, 0, 0) == nullptr);
  a.listening = b.listening = true;
  bool seen_a = false;
  bool seen_b = false;
  for (u32 spread = 0; spread < 64; ++spread) {
    PortUse* found = table->find(kHere, 80, nullptr, 0, spread);
    CHECK(found == table->find(kHere, 80, nullptr, 0, spread));
    seen_a = seen_a || found == &a;
    seen_b = seen_b || found == &b;
  }
  CHECK(seen_a);
  CHECK(seen_b);
}
