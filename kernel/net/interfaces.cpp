// SPDX-License-Identifier: Apache-2.0
// Interfaces, their addresses and routes, read from lwIP's netif; the loopback is there without one.
#include "kernel/net/interfaces.hpp"

#include "kernel/net/core.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/wire.hpp"
#include "lwip/etharp.h"
#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

namespace uni::net {

namespace {

constexpr StringView kLoopbackName = "lo";
constexpr StringView kWireName = "eth0";

void set_name(Interface& i, StringView name) {
  __builtin_memcpy(i.name, name.data(), name.size());
  i.name[name.size()] = '\0';
}

u8 prefix_of(u32 mask_network_order) {
  return static_cast<u8>(__builtin_popcount(mask_network_order));
}

}  // namespace

bool interface_at(usize n, Interface* out) {
  *out = Interface{};
  out->index = static_cast<u32>(n + 1);
  out->up = out->running = true;
  if (n == 0) {
    set_name(*out, kLoopbackName);
    out->mtu = 65536;
    out->loopback = true;
    out->addresses[out->address_count++] = {IpAddress::v4(127, 0, 0, 1), 8, false};
    out->addresses[out->address_count++] = {IpAddress::v6_loopback(), 128, false};
    return true;
  }
  if (n > 1 || !has_wire()) return false;
  CoreGuard guard;
  const netif& wire = wire_netif();
  set_name(*out, kWireName);
  out->mtu = wire.mtu;
  __builtin_memcpy(out->mac, wire.hwaddr, sizeof out->mac);
  if (netif_ip4_addr(&wire)->addr != 0) {
    out->addresses[out->address_count++] = {from_lwip4(*netif_ip4_addr(&wire)),
                                            prefix_of(netif_ip4_netmask(&wire)->addr), false};
  }
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES && out->address_count < kMaxInterfaceAddresses; ++i) {
    const u8 state = netif_ip6_addr_state(&wire, i);
    if (ip6_addr_isinvalid(state)) continue;
    InterfaceAddress& a = out->addresses[out->address_count++];
    a = {from_lwip6(*netif_ip6_addr(&wire, i)), 64, static_cast<bool>(ip6_addr_istentative(state))};
    if (netif_ip6_addr_isstatic(&wire, i)) continue;
    a.valid_s = netif_ip6_addr_valid_life(&wire, i);
    a.preferred_s = netif_ip6_addr_pref_life(&wire, i);
  }
  return true;
}

u32 interface_index(StringView name) {
  if (name == kLoopbackName) return kLoopbackIndex;
  return name == kWireName && has_wire() ? kWireIndex : 0;
}

bool interface_address_v4(u32 index, IpAddress* out) {
  Interface i;
  if (index == 0 || !interface_at(index - 1, &i)) return false;
  for (usize a = 0; a < i.address_count; ++a) {
    if (!i.addresses[a].ip.is_v4()) continue;
    *out = i.addresses[a].ip;
    return true;
  }
  return false;
}

bool default_gateway(bool v6, IpAddress* out) {
  if (!has_wire()) return false;
  CoreGuard guard;
  if (!v6) {
    const u32 gateway = netif_ip4_gw(&wire_netif())->addr;
    *out = IpAddress::v4_raw(gateway);
    return gateway != 0;
  }
  for (usize i = 0; i < LWIP_ND6_NUM_ROUTERS; ++i) {
    const nd6_router_list_entry& router = default_router_list[i];
    if (router.neighbor_entry == nullptr) continue;
    *out = from_lwip6(router.neighbor_entry->next_hop_address);
    return true;
  }
  return false;
}

bool neighbour_at(usize n, Neighbour* out) {
  if (!has_wire()) return false;
  CoreGuard guard;
  for (usize i = 0; i < ARP_TABLE_SIZE; ++i) {
    ip4_addr_t* ip = nullptr;
    netif* at = nullptr;
    eth_addr* mac = nullptr;
    if (etharp_get_entry(i, &ip, &at, &mac) == 0 || at != &wire_netif() || n-- != 0) continue;
    *out = {from_lwip4(*ip), {}, true, false};
    __builtin_memcpy(out->mac, mac->addr, sizeof out->mac);
    return true;
  }
  for (usize i = 0; i < LWIP_ND6_NUM_NEIGHBORS; ++i) {
    const nd6_neighbor_cache_entry& entry = neighbor_cache[i];
    const bool known = entry.state != ND6_NO_ENTRY && entry.state != ND6_INCOMPLETE;
    if (!known || n-- != 0) continue;
    *out = {from_lwip6(entry.next_hop_address), {}, entry.state == ND6_REACHABLE, entry.isrouter != 0};
    __builtin_memcpy(out->mac, entry.lladdr, sizeof out->mac);
    return true;
  }
  return false;
}

bool parse_address(StringView text, IpAddress* out) {
  char buffer[64];
  if (text.empty() || text.size() >= sizeof buffer) return false;
  __builtin_memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  ip_addr_t parsed{};
  if (ipaddr_aton(buffer, &parsed) == 0) return false;
  *out = from_lwip(parsed);
  return true;
}

bool is_own_address_locked(const IpAddress& ip) {
  if (ip.is_loopback()) return true;
  if (!has_wire()) return false;
  const netif& wire = wire_netif();
  if (ip.is_v4()) return !ip.is_any() && netif_ip4_addr(&wire)->addr == ip.v4_raw();
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (!ip6_addr_isinvalid(netif_ip6_addr_state(&wire, i)) && from_lwip6(*netif_ip6_addr(&wire, i)) == ip) return true;
  }
  return false;
}

bool is_own_address(const IpAddress& ip) {
  if (ip.is_loopback()) return true;
  CoreGuard guard;
  return is_own_address_locked(ip);
}

bool is_wire_broadcast_locked(const IpAddress& ip) {
  if (!ip.is_v4()) return false;
  if (ip.is_limited_broadcast()) return true;
  if (!has_wire()) return false;
  const ip4_addr_t a{ip.v4_raw()};
  return ip4_addr_isbroadcast_u32(a.addr, &wire_netif()) != 0;
}

bool source_address_locked(const IpAddress& to, IpAddress* out) {
  if (is_own_address_locked(to)) {
    *out = to;
    return true;
  }
  if (!has_wire()) return false;
  const ip_addr_t at = to_lwip(to);
  netif* via = ip_route(IP46_ADDR_ANY(at.type), &at);
  const ip_addr_t* source = via == nullptr ? nullptr : ip_netif_get_local_ip(via, &at);
  if (source == nullptr || ip_addr_isany(source)) return false;
  *out = from_lwip(*source);
  return true;
}

}  // namespace uni::net
