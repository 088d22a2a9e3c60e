// SPDX-License-Identifier: Apache-2.0
// Memberships of sockets, and the table of groups that interfaces listen to. The wire's groups are made known to lwIP,
// which tells routers of them (IGMPv2, MLDv1).
#include "kernel/net/multicast.hpp"

#include "kernel/net/core.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/socket.hpp"
#include "kernel/net/wire.hpp"
#include "lwip/igmp.h"
#include "lwip/mld6.h"

namespace uni::net {

namespace {

// A group that sockets have joined at an interface; the newest first.
struct Group {
  IpAddress ip;
  u32 interface;
  u32 users;
  Group* next;
};
Group* g_groups = nullptr;

constexpr IpAddress kAllHosts = IpAddress::v4(224, 0, 0, 1);
constexpr IpAddress kAllNodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr IpAddress kAllNodesOfInterface = {{0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

bool exists(u32 index) {
  return index == kLoopbackIndex || (index == kWireIndex && has_wire());
}

// The interface that a request means, 0 for none (ip_mc_find_dev, ip6_mc_find_dev).
u32 interface_of(const GroupRequest& request) {
  if (request.index != 0) return exists(request.index) ? request.index : 0;
  if (request.group.is_v4() && !request.interface.is_any()) {
    if (request.interface.is_loopback()) return kLoopbackIndex;
    return is_own_address_locked(request.interface) ? kWireIndex : 0;
  }
  // Linux has no interface for it where there is no route; a machine with a loopback only has just one to choose.
  return has_wire() ? kWireIndex : kLoopbackIndex;
}

err_t tell_stack(const IpAddress& group, bool join) {
  netif& wire = wire_netif();
  ip_addr_t g = to_lwip(group, kWireIndex);
  keep_ticking();
  if (group.is_v4()) {
    return join ? igmp_joingroup_netif(&wire, ip_2_ip4(&g)) : igmp_leavegroup_netif(&wire, ip_2_ip4(&g));
  }
  ip6_addr_assign_zone(ip_2_ip6(&g), IP6_MULTICAST, &wire);
  return join ? mld6_joingroup_netif(&wire, ip_2_ip6(&g)) : mld6_leavegroup_netif(&wire, ip_2_ip6(&g));
}

Group* find_group(const IpAddress& group, u32 interface) {
  for (Group* g = g_groups; g != nullptr; g = g->next) {
    if (g->ip == group && g->interface == interface) return g;
  }
  return nullptr;
}

Result<void> use_group(const IpAddress& group, u32 interface) {
  if (Group* there = find_group(group, interface)) {
    ++there->users;
    return {};
  }
  Group* fresh = new (std::nothrow) Group{group, interface, 1, g_groups};
  if (fresh == nullptr) return Errno::NoBuffers;
  if (interface == kWireIndex && tell_stack(group, true) != ERR_OK) {
    delete fresh;
    return Errno::NoBuffers;
  }
  g_groups = fresh;
  return {};
}

void drop_group(const IpAddress& group, u32 interface) {
  for (Group** at = &g_groups; *at != nullptr; at = &(*at)->next) {
    Group* g = *at;
    if (!(g->ip == group) || g->interface != interface) continue;
    if (--g->users != 0) return;
    if (interface == kWireIndex) (void)tell_stack(group, false);
    *at = g->next;
    delete g;
    return;
  }
}

// The group at which a neighbour asks for an address (RFC 4291, 2.7.1).
IpAddress solicited_node(const IpAddress& ip) {
  IpAddress out = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
  __builtin_memcpy(out.bytes + 13, ip.bytes + 13, 3);
  return out;
}

bool wire_solicits(const IpAddress& group) {
  const netif& wire = wire_netif();
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (ip6_addr_isinvalid(netif_ip6_addr_state(&wire, i))) continue;
    if (solicited_node(from_lwip6(*netif_ip6_addr(&wire, i))) == group) return true;
  }
  return false;
}

bool lists(const Vector<IpAddress>& sources, const IpAddress& ip) {
  for (const IpAddress& s : sources) {
    if (s == ip) return true;
  }
  return false;
}

}  // namespace

bool interface_has_group(u32 interface, const IpAddress& group) {
  if (group == kAllHosts || group == kAllNodes || group == kAllNodesOfInterface) return true;
  if (find_group(group, interface) != nullptr) return true;
  return interface == kWireIndex && !group.is_v4() && has_wire() && wire_solicits(group);
}

Multicast::Membership* Multicast::find(const IpAddress& group, u32 index) {
  for (Membership& m : memberships_) {
    if (m.group == group && (index == 0 || m.index == index)) return &m;
  }
  return nullptr;
}

const Multicast::Membership* Multicast::find(const IpAddress& group, u32 index) const {
  return const_cast<Multicast*>(this)->find(group, index);
}

Result<void> Multicast::join(const GroupRequest& request, FilterMode mode) {
  const bool six = !request.group.is_v4();
  if (six && find(request.group, request.index) != nullptr) return Errno::AddressInUse;
  const u32 index = interface_of(request);
  if (index == 0) return Errno::NoDevice;
  usize count = 0;
  for (const Membership& m : memberships_)
    count += m.group.is_v4() ? 1 : 0;
  if (!six && find(request.group, index) != nullptr) return Errno::AddressInUse;
  if (!six && count >= kMostGroups) return Errno::NoBuffers;
  TRY(memberships_.reserve(memberships_.size() + 1));
  TRY(use_group(request.group, index));
  return memberships_.push({request.group, request.interface, index, false, {mode, {}}});
}

void Multicast::remove(Membership& membership) {
  drop_group(membership.group, membership.index);
  memberships_.remove_at(static_cast<usize>(&membership - memberships_.begin()));
}

Result<void> Multicast::leave(const GroupRequest& request) {
  const bool six = !request.group.is_v4();
  const u32 index = six ? request.index : interface_of(request);
  if (six && !request.group.is_multicast()) return Errno::Invalid;
  if (!six && index == 0 && request.index == 0 && request.interface.is_any()) return Errno::NoDevice;
  Membership* found = find(request.group, index != 0 ? index : request.index);
  if (found == nullptr) return Errno::AddressNotAvailable;
  if (!six && index == 0 && !(found->interface == request.interface)) return Errno::AddressNotAvailable;
  remove(*found);
  return {};
}

Result<void> Multicast::change_source(const GroupRequest& request, FilterMode mode, bool add) {
  if (!request.group.is_multicast()) return Errno::Invalid;
  const u32 index = interface_of(request);
  if (index == 0) return Errno::NoDevice;
  Membership* m = find(request.group, index);
  if (m == nullptr) return Errno::Invalid;
  // An empty filter takes either mode, as long as none was ever set.
  if (m->listed && m->filter.mode != mode) return Errno::Invalid;
  m->filter.mode = mode;
  Vector<IpAddress>& sources = m->filter.sources;
  if (!add) {
    for (usize i = 0; i < sources.size(); ++i) {
      if (!(sources[i] == request.source)) continue;
      if (sources.size() == 1 && mode == FilterMode::kInclude)
        remove(*m);
      else
        sources.remove_at(i);
      return {};
    }
    return Errno::AddressNotAvailable;
  }
  if (sources.size() >= (request.group.is_v4() ? kMostSourcesV4 : kMostSourcesV6)) return Errno::NoBuffers;
  if (lists(sources, request.source)) return Errno::AddressNotAvailable;
  TRY(sources.push(request.source));
  m->listed = true;
  return {};
}

Result<void> Multicast::change(GroupAction action, const GroupRequest& request) {
  switch (action) {
    case GroupAction::kJoin:
      if (!request.group.is_multicast()) return Errno::Invalid;
      return join(request, FilterMode::kExclude);
    case GroupAction::kLeave:
      return leave(request);
    case GroupAction::kJoinSource: {
      if (!request.group.is_multicast()) return Errno::Invalid;
      const Result<void> joined = join(request, FilterMode::kInclude);
      if (!joined.ok() && joined.error() != Errno::AddressInUse) return joined.error();
      return change_source(request, FilterMode::kInclude, true);
    }
    case GroupAction::kLeaveSource:
      return change_source(request, FilterMode::kInclude, false);
    case GroupAction::kBlockSource:
      return change_source(request, FilterMode::kExclude, true);
    case GroupAction::kUnblockSource:
      return change_source(request, FilterMode::kExclude, false);
  }
  return Errno::Invalid;
}

Result<void> Multicast::set_filter(const GroupRequest& request, GroupFilter&& filter) {
  if (!request.group.is_multicast()) return Errno::Invalid;
  const u32 index = interface_of(request);
  if (index == 0) return Errno::NoDevice;
  // Nobody's datagrams: that is to leave (ip_mc_msfilter).
  if (filter.mode == FilterMode::kInclude && filter.sources.empty()) {
    GroupRequest exact = request;
    exact.index = index;
    return leave(exact);
  }
  Membership* m = find(request.group, index);
  if (m == nullptr) return Errno::Invalid;
  m->listed = !filter.sources.empty();
  m->filter.mode = filter.mode;
  m->filter.sources = uni::move(filter.sources);
  return {};
}

Result<GroupFilter> Multicast::filter(const GroupRequest& request) const {
  if (!request.group.is_multicast()) return Errno::Invalid;
  const u32 index = interface_of(request);
  if (index == 0) return Errno::NoDevice;
  const Membership* m = find(request.group, index);
  if (m == nullptr) return Errno::AddressNotAvailable;
  GroupFilter copy;
  copy.mode = m->filter.mode;
  TRY(copy.sources.append(m->filter.sources.data(), m->filter.sources.size()));
  return copy;
}

void Multicast::leave_all() {
  while (!memberships_.empty())
    remove(memberships_.back());
}

bool Multicast::accepts(const IpAddress& group, u32 interface, const IpAddress& from) const {
  const Membership* m = find(group, interface);
  if (m == nullptr) return all_[group.is_v4() ? 0 : 1];
  const bool included = m->filter.mode == FilterMode::kInclude;
  return lists(m->filter.sources, from) == included;
}

Result<void> Multicast::choose_interface(const GroupRequest& request, u32 bound_device) {
  if (request.index == 0 && request.interface.is_any()) {
    index_[0] = 0;
    address_ = kAnyV4;
    return {};
  }
  const u32 index = interface_of(request);
  if (index == 0) return Errno::AddressNotAvailable;
  if (bound_device != 0 && bound_device != index) return Errno::Invalid;
  index_[0] = index;
  address_ = request.interface;
  return {};
}

Result<void> Multicast::set_option(Option option, i64 value, u32 bound_device) {
  const bool six = option == Option::kV6MulticastHops || option == Option::kV6MulticastLoop;
  switch (option) {
    case Option::kMulticastTtl:
    case Option::kV6MulticastHops:
      if (value < -1 || value > 255) return Errno::Invalid;
      ttl_[six ? 1 : 0] = value == -1 ? u8{1} : static_cast<u8>(value);
      return {};
    case Option::kMulticastLoop:
    case Option::kV6MulticastLoop:
      if (six && value != 0 && value != 1) return Errno::Invalid;
      loop_[six ? 1 : 0] = value != 0;
      return {};
    case Option::kMulticastAll:
      if (value != 0 && value != 1) return Errno::Invalid;
      all_[0] = value != 0;
      return {};
    case Option::kV6MulticastAll:
      all_[1] = value != 0;
      return {};
    case Option::kV6MulticastInterface:
      if (value != 0 && (value < 0 || !exists(static_cast<u32>(value)))) return Errno::NoDevice;
      if (value != 0 && bound_device != 0 && bound_device != static_cast<u32>(value)) return Errno::Invalid;
      index_[1] = static_cast<u32>(value);
      return {};
    default:
      return Errno::NoProtocolOption;
  }
}

Result<i64> Multicast::get_option(Option option) const {
  switch (option) {
    case Option::kMulticastTtl:
      return ttl_[0];
    case Option::kV6MulticastHops:
      return ttl_[1];
    case Option::kMulticastLoop:
      return loop_[0];
    case Option::kV6MulticastLoop:
      return loop_[1];
    case Option::kMulticastAll:
      return all_[0];
    case Option::kV6MulticastAll:
      return all_[1];
    case Option::kV6MulticastInterface:
      return index_[1];
    default:
      return Errno::NoProtocolOption;
  }
}

namespace {

void write_group4(Writer& out, const IpAddress& ip, u32 users) {
  char text[9];
  BufferWriter buffer(text);
  format(buffer, "{:08x}", ip.v4_raw());
  for (usize i = 0; i < buffer.view().size(); ++i) {
    if (text[i] >= 'a') text[i] = static_cast<char>(text[i] - 'a' + 'A');
  }
  format(out, "\t\t\t\t{} {:>5} 0:00000000\t\t0\n", buffer.view(), users);
}

void write_group6(Writer& out, const Interface& i, const IpAddress& ip, u32 users, u32 flags) {
  format(out, "{}    {:<15} ", i.index, StringView(i.name));
  for (u8 byte : ip.bytes)
    format(out, "{:02x}", byte);
  format(out, " {:>5} {:08x} 0\n", users, flags);
}

}  // namespace

void write_groups(Writer& out, bool six) {
  constexpr u32 kLoaded = 4, kNoReport = 8;
  // Written without the lock.
  Vector<Group> list;
  usize count = 0;
  for (bool again = true; again;) {
    if (!list.reserve(count).ok()) return;
    CoreGuard guard;
    count = 0;
    list.clear();
    for (const Group* g = g_groups; g != nullptr; g = g->next, ++count) {
      if (count < list.capacity()) (void)list.push(*g).ok();
    }
    again = count > list.size();
  }
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    u32 here = 1;
    for (const Group& g : list)
      here += g.interface == i.index && g.ip.is_v4() ? 1 : 0;
    if (!six) format(out, "{}\t{:<10}: {:>5}      V2\n", i.index, StringView(i.name), here);
    for (const Group& g : list) {
      if (g.interface != i.index || g.ip.is_v4() == six) continue;
      if (six)
        write_group6(out, i, g.ip, g.users, kLoaded);
      else
        write_group4(out, g.ip, g.users);
    }
    if (!six) {
      write_group4(out, kAllHosts, 1);
      continue;
    }
    for (usize a = 0; a < i.address_count; ++a) {
      if (!i.loopback && !i.addresses[a].ip.is_v4()) {
        write_group6(out, i, solicited_node(i.addresses[a].ip), 1, kLoaded);
      }
    }
    write_group6(out, i, kAllNodes, 1, kLoaded | kNoReport);
    write_group6(out, i, kAllNodesOfInterface, 1, kNoReport);
  }
}

}  // namespace uni::net
