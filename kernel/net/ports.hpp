// SPDX-License-Identifier: Apache-2.0
// Who has which TCP or UDP port. lwIP's own checks are switched off (SOF_REUSEADDR is set on all its pcbs): the rules
// of SO_REUSEADDR, SO_REUSEPORT and IPV6_V6ONLY are here, as Linux has them (inet_csk_bind_conflict). All under the
// core lock.
#pragma once

#include "kernel/net/address.hpp"

namespace uni::net {

class Socket;

struct PortUse {
  Socket* owner = nullptr;
  IpAddress ip = kAnyV4;
  u16 port = 0;  // 0: not in the table
  u32 uid = 0;
  bool dual_stack = false;  // an IPv6 "any" that stands for IPv4 too
  bool reuse_address = false, reuse_port = false;
  bool listening = false;
  bool connected = false;     // a connection: not found by find()
  IpAddress remote = kAnyV4;  // connected UDP: its peer
  u16 remote_port = 0;

  PortUse* next_ = nullptr;  // in the table's bucket

  bool bound() const { return port != 0; }
  // Does a packet to `to` belong here?
  bool accepts(const IpAddress& to) const {
    if (ip == to) return true;
    if (!ip.is_any()) return false;
    return ip.is_v4() == to.is_v4() || (!ip.is_v4() && dual_stack);
  }
};

class PortTable {
 public:
  enum class Rules : u8 { kTcp, kUdp };
  explicit constexpr PortTable(Rules rules) : rules_(rules) {}

  // Enters `use` at use.port, or at a free ephemeral port where that is 0. False where it is taken (or none is free).
  bool add(PortUse& use);
  void remove(PortUse& use);
  // Would listening conflict? (TCP: SO_REUSEADDR lets two bind, but one listen.)
  bool may_listen(const PortUse& use);
  // The best use for a packet; connected UDP first, then exact addresses, then "any". Among equals (SO_REUSEPORT)
  // `spread` chooses. For TCP: listeners only.
  PortUse* find(const IpAddress& to, u16 port, const IpAddress* from, u16 from_port, u32 spread);
  // Calls visit(PortUse&) for each use of the port.
  template <typename F>
  void each(u16 port, F visit) {
    for (PortUse* u = heads_[port % kBuckets]; u != nullptr;) {
      PortUse* next = u->next_;
      if (u->port == port) visit(*u);
      u = next;
    }
  }
  template <typename F>
  void each_use(F visit) {
    for (PortUse* u : heads_) {
      for (; u != nullptr; u = u->next_)
        visit(*u);
    }
  }

 private:
  static constexpr u32 kBuckets = 256;
  bool conflicts(const PortUse& use);
  Rules rules_;
  PortUse* heads_[kBuckets] = {};
};

extern PortTable g_tcp_ports;
extern PortTable g_udp_ports;
extern PortTable g_udp_lite_ports;
extern PortTable g_ping_identifiers;

// net.ipv4.ip_local_port_range.
inline constexpr u16 kEphemeralFirst = 32768;
inline constexpr u16 kEphemeralLast = 60999;

}  // namespace uni::net
