// SPDX-License-Identifier: Apache-2.0
// Groups (ip(7), ipv6(7), RFC 3678): which interfaces listen to which, and what one socket has joined, with its source
// filters and its options for sending. Everything is under the core lock; nothing blocks. The rules are Linux's
// (net/ipv4/igmp.c, net/ipv6/mcast.c).
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/net/address.hpp"

namespace uni::net {

enum class Option : u8;

enum class GroupAction : u8 { kJoin, kLeave, kJoinSource, kLeaveSource, kBlockSource, kUnblockSource };

// Which group, at which interface: by index, or by its IPv4 address, or neither for the one that a route leads to.
struct GroupRequest {
  IpAddress group = kAnyV4;
  IpAddress interface = kAnyV4;
  u32 index = 0;
  IpAddress source = kAnyV4;
};

// Whose datagrams to the group are wanted: only the sources named, or all but these.
enum class FilterMode : u8 { kExclude = 0, kInclude = 1 };

struct GroupFilter {
  FilterMode mode = FilterMode::kExclude;
  Vector<IpAddress> sources;
};

inline constexpr usize kMostGroups = 20;     // net.ipv4.igmp_max_memberships
inline constexpr usize kMostSourcesV4 = 10;  // net.ipv4.igmp_max_msf
inline constexpr usize kMostSourcesV6 = 64;  // net.ipv6.mld_max_msf

// One socket's share. leave_all() comes before its end.
class Multicast {
 public:
  // Errors: Invalid, NoDevice, AddressInUse, AddressNotAvailable, NoBuffers (too many), NoMemory.
  Result<void> change(GroupAction action, const GroupRequest& request);
  // Replaces the filter of a membership. Errors: as change().
  Result<void> set_filter(const GroupRequest& request, GroupFilter&& filter);
  // A copy of it. Errors: Invalid, NoDevice, AddressNotAvailable, NoMemory.
  Result<GroupFilter> filter(const GroupRequest& request) const;
  void leave_all();

  // Does the socket want a datagram to `group` that came in at `interface`?
  bool accepts(const IpAddress& group, u32 interface, const IpAddress& from) const;

  // IP_MULTICAST_IF: an address or an index; neither takes the choice back. Errors: AddressNotAvailable, Invalid.
  Result<void> choose_interface(const GroupRequest& request, u32 bound_device);
  IpAddress chosen_address() const { return address_; }
  u32 chosen_index(bool six) const { return index_[six ? 1 : 0]; }
  u8 ttl(bool six) const { return ttl_[six ? 1 : 0]; }
  bool loops(bool six) const { return loop_[six ? 1 : 0]; }
  // The options that are a number. Errors: Invalid, NoDevice; NoProtocolOption where it is none of these.
  Result<void> set_option(Option option, i64 value, u32 bound_device);
  Result<i64> get_option(Option option) const;

 private:
  struct Membership {
    IpAddress group, interface;
    u32 index;
    bool listed;  // a filter was set, if only to an empty one
    GroupFilter filter;
  };
  Membership* find(const IpAddress& group, u32 index);
  const Membership* find(const IpAddress& group, u32 index) const;
  Result<void> join(const GroupRequest& request, FilterMode mode);
  Result<void> leave(const GroupRequest& request);
  Result<void> change_source(const GroupRequest& request, FilterMode mode, bool add);
  void remove(Membership& membership);

  Vector<Membership> memberships_;
  IpAddress address_ = kAnyV4;
  // IPv4's, IPv6's.
  u32 index_[2] = {0, 0};
  u8 ttl_[2] = {1, 1};
  bool loop_[2] = {true, true};
  bool all_[2] = {true, true};
};

// Does the interface take datagrams to the group?
bool interface_has_group(u32 interface, const IpAddress& group);
// The lines of /proc/net/igmp and igmp6. Takes the core lock.
void write_groups(Writer& out, bool six);

}  // namespace uni::net
