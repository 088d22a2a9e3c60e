// SPDX-License-Identifier: Apache-2.0
// The machine's network interfaces as a program sees them: lo is 1, eth0 is 2 where there is a device.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/net/address.hpp"

namespace uni::net {

inline constexpr u32 kLoopbackIndex = 1;
inline constexpr u32 kWireIndex = 2;
inline constexpr usize kMaxInterfaceAddresses = 6;

struct InterfaceAddress {
  IpAddress ip;
  u8 prefix = 0;           // bits of ip's own family
  bool tentative = false;  // IPv6, not yet known to be unique
  // IPv6: seconds that a router has granted it, kForever for one that no router gave.
  static constexpr u32 kForever = ~u32{0};
  u32 valid_s = kForever, preferred_s = kForever;
  bool granted() const { return valid_s != kForever; }
};

struct Interface {
  u32 index = 0;
  char name[16] = {};
  u32 mtu = 0;
  bool loopback = false;
  bool up = false, running = false;
  u8 mac[6] = {};
  usize address_count = 0;
  InterfaceAddress addresses[kMaxInterfaceAddresses];
};

// The nth interface, from 0; false beyond the last. Takes the core lock.
bool interface_at(usize n, Interface* out);
// 0 where there is none of this name.
u32 interface_index(StringView name);
// The interface's first IPv4 address; false where it has none.
bool interface_address_v4(u32 index, IpAddress* out);
// The default route's gateway of the wire; false where there is none.
bool default_gateway(bool v6, IpAddress* out);
// Name servers that DHCP gave, in order.
bool name_server(usize n, IpAddress* out);

// Whose link address is known, or asked for.
struct Neighbour {
  IpAddress ip;
  u8 mac[6] = {};
  bool reachable = false;
  bool router = false;
};
// The nth neighbour on the wire, from 0; false beyond the last. Takes the core lock.
bool neighbour_at(usize n, Neighbour* out);

// "192.0.2.1" or "2001:db8::1".
bool parse_address(StringView text, IpAddress* out);

// Is this an address of the machine's own, so that it is reached without the wire?
bool is_own_address(const IpAddress& ip);
// As is_own_address, with the core lock held.
bool is_own_address_locked(const IpAddress& ip);
bool is_wire_broadcast_locked(const IpAddress& ip);
// The source address for a destination; false where there is no route. Core lock held.
bool source_address_locked(const IpAddress& to, IpAddress* out);

// SIOCGIFCONF and its family (netdevice(7)). Errors: NotTty for what it does not know, NoDevice, Fault.
Result<i64> interface_ioctl(u32 command, UserAddr argument);

}  // namespace uni::net
