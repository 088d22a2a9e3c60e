// SPDX-License-Identifier: Apache-2.0
// rtnetlink messages: links, addresses and routes as Linux lays them out. Everything is aligned to four bytes.
#include "kernel/net/netlink_message.hpp"

namespace uni::net {

namespace {

constexpr u8 kInet4 = 2, kInet6 = 10;

struct LinkBody {
  u8 family, pad;
  u16 type;
  i32 index;
  u32 flags, change;
};
static_assert(sizeof(LinkBody) == 16);

struct AddressBody {
  u8 family, prefix, flags, scope;
  u32 index;
};
static_assert(sizeof(AddressBody) == 8);

struct RouteBody {
  u8 family, to_bits, from_bits, tos, table, protocol, scope, type;
  u32 flags;
};
static_assert(sizeof(RouteBody) == 12);

struct AttributeHeader {
  u16 size, type;
};

constexpr u32 kUp = 1, kBroadcast = 2, kLoopback = 8, kRunning = 0x40, kMulticast = 0x1000, kLowerUp = 0x10000;
constexpr u8 kScopeUniverse = 0, kScopeLink = 253, kScopeHost = 254;

const u8* bytes_of(const IpAddress& ip) {
  return ip.is_v4() ? ip.bytes + 12 : ip.bytes;
}
usize size_of(const IpAddress& ip) {
  return ip.is_v4() ? 4 : 16;
}

}  // namespace

void NetlinkBuilder::body(const void* data, usize size) {
  const usize padded = align_up(size, 4);
  if (overflow_ || padded > capacity_ - used_) {
    overflow_ = true;
    return;
  }
  __builtin_memcpy(buffer_ + used_, data, size);
  __builtin_memset(buffer_ + used_ + size, 0, padded - size);
  used_ += padded;
}

void NetlinkBuilder::begin(u16 type, u16 flags, u32 sequence, u32 port) {
  start_ = used_;
  overflow_ = false;
  const NetlinkHeader header{0, type, flags, sequence, port};
  body(&header, sizeof header);
}

void NetlinkBuilder::end() {
  if (overflow_) {
    used_ = start_;
    return;
  }
  const u32 size = static_cast<u32>(used_ - start_);
  __builtin_memcpy(buffer_ + start_, &size, sizeof size);
}

void NetlinkBuilder::attribute(u16 type, const void* data, usize size) {
  const AttributeHeader header{static_cast<u16>(sizeof(AttributeHeader) + size), type};
  body(&header, sizeof header);
  body(data, size);
}

void NetlinkBuilder::attribute_text(u16 type, StringView text) {
  char copy[32] = {};
  const usize size = min<usize>(text.size(), sizeof copy - 1);
  __builtin_memcpy(copy, text.data(), size);
  attribute(type, copy, size + 1);
}

void NetlinkBuilder::link(const Interface& i, u32 sequence, u32 port, u16 flags) {
  constexpr u16 kAddress = 1, kBroadcastAddress = 2, kName = 3, kMtu = 4, kQdisc = 6, kQueue = 13, kState = 16;
  constexpr u16 kArpEther = 1, kArpLoopback = 772;
  static constexpr u8 kAllOnes[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  static constexpr u8 kZero[6] = {};
  begin(kNewLink, flags, sequence, port);
  const u32 base = kUp | kRunning | kLowerUp;
  const LinkBody b{0,
                   0,
                   i.loopback ? kArpLoopback : kArpEther,
                   static_cast<i32>(i.index),
                   base | (i.loopback ? kLoopback : kBroadcast | kMulticast),
                   0};
  body(&b, sizeof b);
  attribute_text(kName, StringView(i.name));
  attribute_u32(kQueue, 1000);
  const u8 state = i.loopback ? 0 : 6;  // IF_OPER_UNKNOWN, IF_OPER_UP
  attribute(kState, &state, sizeof state);
  attribute_u32(kMtu, i.mtu);
  attribute_text(kQdisc, i.loopback ? "noqueue" : "fq_codel");
  attribute(kAddress, i.mac, sizeof i.mac);
  attribute(kBroadcastAddress, i.loopback ? kZero : kAllOnes, sizeof kZero);
  end();
}

void NetlinkBuilder::address(const Interface& i, const InterfaceAddress& a, u32 sequence, u32 port) {
  constexpr u16 kAddress = 1, kLocal = 2, kLabel = 3, kBroadcastAddress = 4, kCacheInfo = 6, kFlags = 8;
  constexpr u8 kPermanent = 0x80, kTentative = 0x40;
  begin(kNewAddress, kNlMulti, sequence, port);
  const u8 scope = i.loopback ? kScopeHost : (a.ip.is_link_local() ? kScopeLink : kScopeUniverse);
  const u8 flags = static_cast<u8>((a.tentative ? kTentative : 0) | (a.granted() ? 0 : kPermanent));
  const AddressBody b{a.ip.is_v4() ? kInet4 : kInet6, a.prefix, flags, scope, i.index};
  body(&b, sizeof b);
  attribute(kAddress, bytes_of(a.ip), size_of(a.ip));
  if (a.ip.is_v4()) {
    attribute(kLocal, bytes_of(a.ip), size_of(a.ip));
    if (!i.loopback && a.prefix < 31) {
      const u32 host_bits = __builtin_bswap32(~u32{0} >> a.prefix);
      attribute_u32(kBroadcastAddress, a.ip.v4_raw() | host_bits);
    }
    attribute_text(kLabel, StringView(i.name));
  }
  attribute_u32(kFlags, flags);
  const u32 lifetimes[4] = {a.preferred_s, a.valid_s, 0, 0};  // struct ifa_cacheinfo
  attribute(kCacheInfo, lifetimes, sizeof lifetimes);
  end();
}

void NetlinkBuilder::route(const Interface& i, const InterfaceAddress* network, const IpAddress* gateway, u32 sequence,
                           u32 port) {
  constexpr u16 kTo = 1, kInterface = 4, kGateway = 5, kSource = 7, kTable = 15;
  constexpr u8 kMainTable = 254, kByKernel = 2, kAtBoot = 3, kUnicast = 1;
  begin(kNewRoute, kNlMulti, sequence, port);
  const IpAddress& shown = gateway != nullptr ? *gateway : network->ip;
  const RouteBody b{shown.is_v4() ? kInet4 : kInet6,
                    gateway != nullptr ? u8{0} : network->prefix,
                    0,
                    0,
                    kMainTable,
                    gateway != nullptr ? kAtBoot : kByKernel,
                    gateway != nullptr ? kScopeUniverse : kScopeLink,
                    kUnicast,
                    0};
  body(&b, sizeof b);
  attribute_u32(kTable, kMainTable);
  if (gateway == nullptr) {
    IpAddress prefix = network->ip;
    const usize first = prefix.is_v4() ? 12 : 0;
    for (usize bit = network->prefix; bit < size_of(prefix) * 8; ++bit)
      prefix.bytes[first + bit / 8] &= static_cast<u8>(~(0x80u >> (bit % 8)));
    attribute(kTo, bytes_of(prefix), size_of(prefix));
    if (network->ip.is_v4()) attribute(kSource, bytes_of(network->ip), size_of(network->ip));
  } else {
    attribute(kGateway, bytes_of(*gateway), size_of(*gateway));
  }
  attribute_u32(kInterface, i.index);
  end();
}

void NetlinkBuilder::neighbour(const Neighbour& n, u32 sequence, u32 port) {
  struct Body {
    u8 family, pad0;
    u16 pad1;
    i32 interface;
    u16 state;
    u8 flags, type;
  };
  static_assert(sizeof(Body) == 12);
  constexpr u16 kTo = 1, kLinkAddress = 2, kReachable = 2, kStale = 4;
  constexpr u8 kRouter = 0x80, kUnicast = 1;
  begin(kNewNeighbour, kNlMulti, sequence, port);
  const Body b{
      n.ip.is_v4() ? kInet4 : kInet6, 0,       0, static_cast<i32>(kWireIndex), n.reachable ? kReachable : kStale,
      n.router ? kRouter : u8{0},     kUnicast};
  body(&b, sizeof b);
  attribute(kTo, bytes_of(n.ip), size_of(n.ip));
  attribute(kLinkAddress, n.mac, sizeof n.mac);
  end();
}

void NetlinkBuilder::rule(u8 family, u32 priority, u8 table, u32 sequence, u32 port) {
  constexpr u16 kPriority = 6, kSuppressPrefix = 14, kTable = 15, kProtocol = 21;
  constexpr u8 kToTable = 1, kByKernel = 2;
  begin(kNewRule, kNlMulti, sequence, port);
  const u8 b[12] = {family, 0, 0, 0, table, 0, 0, kToTable};  // struct fib_rule_hdr
  body(b, sizeof b);
  attribute_u32(kTable, table);
  attribute_u32(kSuppressPrefix, ~u32{0});
  attribute(kProtocol, &kByKernel, sizeof kByKernel);
  if (priority != 0) attribute_u32(kPriority, priority);
  end();
}

void NetlinkBuilder::done(u32 sequence, u32 port) {
  begin(kNlDone, kNlMulti, sequence, port);
  const u32 status = 0;
  body(&status, sizeof status);
  end();
}

void NetlinkBuilder::error(i32 negative_errno, const NetlinkHeader& request, u32 port) {
  begin(kNlError, 0, request.sequence, port);
  body(&negative_errno, sizeof negative_errno);
  body(&request, sizeof request);
  end();
}

}  // namespace uni::net
