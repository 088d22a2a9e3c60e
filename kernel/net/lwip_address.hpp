// SPDX-License-Identifier: Apache-2.0
// Between our addresses and lwIP's.
#pragma once

#include "kernel/net/address.hpp"
#include "lwip/ip_addr.h"

namespace uni::net {

inline ip_addr_t to_lwip(const IpAddress& ip, u32 scope = 0) {
  ip_addr_t out{};
  if (ip.is_v4()) {
    out.type = IPADDR_TYPE_V4;
    out.u_addr.ip4.addr = ip.v4_raw();
  } else {
    out.type = IPADDR_TYPE_V6;
    __builtin_memcpy(out.u_addr.ip6.addr, ip.bytes, sizeof ip.bytes);
    out.u_addr.ip6.zone = ip.needs_scope() ? static_cast<u8>(scope) : u8{0};
  }
  return out;
}

inline IpAddress from_lwip(const ip_addr_t& ip) {
  if (ip.type == IPADDR_TYPE_V4) return IpAddress::v4_raw(ip.u_addr.ip4.addr);
  IpAddress out{};
  __builtin_memcpy(out.bytes, ip.u_addr.ip6.addr, sizeof out.bytes);
  return out;
}

inline IpAddress from_lwip4(const ip4_addr_t& ip) {
  return IpAddress::v4_raw(ip.addr);
}
inline IpAddress from_lwip6(const ip6_addr_t& ip) {
  IpAddress out{};
  __builtin_memcpy(out.bytes, ip.addr, sizeof out.bytes);
  return out;
}

}  // namespace uni::net
