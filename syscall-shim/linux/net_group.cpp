// SPDX-License-Identifier: Apache-2.0
// Group options in and out: what a program passes becomes a net::GroupRequest. Sizes are checked as do_ip_setsockopt
// and do_ipv6_setsockopt do.
#include "syscall-shim/linux/net_group.hpp"

#include "syscall-shim/linux/net_common.hpp"

namespace uni::shim {

namespace {

using net::GroupAction;
using net::GroupRequest;
using net::IpAddress;

enum Name : i32 {
  kIpMulticastInterface = 32,
  kIpAddMembership = 35,
  kIpDropMembership = 36,
  kIpUnblockSource = 37,
  kIpBlockSource = 38,
  kIpAddSourceMembership = 39,
  kIpDropSourceMembership = 40,
  kIpMsfilter = 41,
  kMcastJoinGroup = 42,
  kMcastBlockSource = 43,
  kMcastUnblockSource = 44,
  kMcastLeaveGroup = 45,
  kMcastJoinSourceGroup = 46,
  kMcastLeaveSourceGroup = 47,
  kMcastMsfilter = 48,
  kIpv6JoinGroup = 20,
  kIpv6LeaveGroup = 21,
};

GroupAction action_of(i32 name) {
  switch (name) {
    case kIpAddMembership:
    case kMcastJoinGroup:
    case kIpv6JoinGroup:
      return GroupAction::kJoin;
    case kIpAddSourceMembership:
    case kMcastJoinSourceGroup:
      return GroupAction::kJoinSource;
    case kIpDropSourceMembership:
    case kMcastLeaveSourceGroup:
      return GroupAction::kLeaveSource;
    case kIpBlockSource:
    case kMcastBlockSource:
      return GroupAction::kBlockSource;
    case kIpUnblockSource:
    case kMcastUnblockSource:
      return GroupAction::kUnblockSource;
    default:
      return GroupAction::kLeave;
  }
}

// Errors: `wrong` for an address of another family than the option's level.
Result<IpAddress> ip_of(const abi::SockaddrStorage& from, bool six, Errno wrong) {
  if (from.family != (six ? abi::kAfInet6 : abi::kAfInet)) return wrong;
  if (!six) {
    abi::SockaddrIn in;
    __builtin_memcpy(&in, &from, sizeof in);
    return IpAddress::v4_raw(in.address);
  }
  IpAddress ip{};
  abi::SockaddrIn6 in;
  __builtin_memcpy(&in, &from, sizeof in);
  __builtin_memcpy(ip.bytes, in.address, sizeof ip.bytes);
  return ip;
}

// The longest of ip_mreqn, ip_mreq and, where `least` allows it, an address alone that `size` holds.
Result<GroupRequest> read_mreqn(UserAddr value, i32 size, usize least) {
  if (static_cast<usize>(size) < least) return Errno::Invalid;
  GroupRequest request;
  if (static_cast<usize>(size) < sizeof(abi::IpMreq)) {
    request.interface = IpAddress::v4_raw(TRY(UserPtr<u32>(value).read()));
    return request;
  }
  abi::IpMreqn in{};
  const bool indexed = static_cast<usize>(size) >= sizeof in;
  TRY(copy_from_user(&in, value, indexed ? sizeof in : sizeof(abi::IpMreq)));
  request.group = IpAddress::v4_raw(in.group);
  request.interface = IpAddress::v4_raw(in.address);
  request.index = static_cast<u32>(in.index);
  return request;
}

Result<GroupRequest> read_source4(UserAddr value, i32 size) {
  if (size != static_cast<i32>(sizeof(abi::IpMreqSource))) return Errno::Invalid;
  const abi::IpMreqSource in = TRY(UserPtr<abi::IpMreqSource>(value).read());
  GroupRequest request;
  request.group = IpAddress::v4_raw(in.group);
  request.interface = IpAddress::v4_raw(in.interface);
  request.source = IpAddress::v4_raw(in.source);
  return request;
}

Result<GroupRequest> read_mreq6(UserAddr value, i32 size) {
  if (static_cast<usize>(size) < sizeof(abi::Ipv6Mreq)) return Errno::Invalid;
  const abi::Ipv6Mreq in = TRY(UserPtr<abi::Ipv6Mreq>(value).read());
  GroupRequest request;
  __builtin_memcpy(request.group.bytes, in.group, sizeof in.group);
  request.index = in.index;
  return request;
}

Result<GroupRequest> read_group(UserAddr value, i32 size, bool six) {
  if (static_cast<usize>(size) < sizeof(abi::GroupReq)) return Errno::Invalid;
  const abi::GroupReq in = TRY(UserPtr<abi::GroupReq>(value).read());
  GroupRequest request;
  request.group = TRY(ip_of(in.group, six, six ? Errno::AddressNotAvailable : Errno::Invalid));
  request.index = in.index;
  return request;
}

Result<GroupRequest> read_group_source(UserAddr value, i32 size, bool six) {
  if (static_cast<usize>(size) < sizeof(abi::GroupSourceReq)) return Errno::Invalid;
  const abi::GroupSourceReq in = TRY(UserPtr<abi::GroupSourceReq>(value).read());
  GroupRequest request;
  request.group = TRY(ip_of(in.group, six, Errno::AddressNotAvailable));
  request.source = TRY(ip_of(in.source, six, Errno::AddressNotAvailable));
  request.index = in.index;
  return request;
}

Result<GroupRequest> read_request(i32 level, i32 name, UserAddr value, i32 size) {
  const bool six = level == abi::kSolIpv6;
  switch (name) {
    case kIpv6JoinGroup:
    case kIpv6LeaveGroup:
      return read_mreq6(value, size);
    case kIpAddMembership:
    case kIpDropMembership:
      return read_mreqn(value, size, sizeof(abi::IpMreq));
    case kMcastJoinGroup:
    case kMcastLeaveGroup:
      return read_group(value, size, six);
    case kMcastBlockSource:
    case kMcastUnblockSource:
    case kMcastJoinSourceGroup:
    case kMcastLeaveSourceGroup:
      return read_group_source(value, size, six);
    default:
      return read_source4(value, size);
  }
}

// A filter as the program lays it out: the request, the mode, and how many sources follow.
struct FilterHead {
  GroupRequest request;
  u32 mode = 0;
  u32 count = 0;
};

Result<FilterHead> read_filter_head(bool six, i32 name, UserAddr value, i32 size) {
  FilterHead head;
  if (name == kIpMsfilter) {
    if (static_cast<usize>(size) < sizeof(abi::IpMsfilter)) return Errno::Invalid;
    const abi::IpMsfilter in = TRY(UserPtr<abi::IpMsfilter>(value).read());
    head.request.group = IpAddress::v4_raw(in.group);
    head.request.interface = IpAddress::v4_raw(in.interface);
    head.mode = in.mode;
    head.count = in.count;
    return head;
  }
  if (static_cast<usize>(size) < sizeof(abi::GroupFilter)) return Errno::Invalid;
  const abi::GroupFilter in = TRY(UserPtr<abi::GroupFilter>(value).read());
  head.request.group = TRY(ip_of(in.group, six, Errno::AddressNotAvailable));
  head.request.index = in.index;
  head.mode = in.mode;
  head.count = in.count;
  return head;
}

Result<void> set_filter(net::Socket& socket, bool six, i32 name, UserAddr value, i32 size) {
  const FilterHead head = TRY(read_filter_head(six, name, value, size));
  if (head.count > (six ? net::kMostSourcesV6 : net::kMostSourcesV4)) return Errno::NoBuffers;
  const bool old = name == kIpMsfilter;
  const usize start = old ? sizeof(abi::IpMsfilter) : sizeof(abi::GroupFilter);
  const usize step = old ? sizeof(u32) : sizeof(abi::SockaddrStorage);
  if (start + head.count * step > static_cast<usize>(size) || head.mode > 1) return Errno::Invalid;
  net::GroupFilter filter;
  filter.mode = static_cast<net::FilterMode>(head.mode);
  for (u32 i = 0; i < head.count; ++i) {
    const UserAddr at = value + start + i * step;
    if (old) {
      const u32 source = TRY(UserPtr<u32>(at).read());
      TRY(filter.sources.push(IpAddress::v4_raw(source)));
      continue;
    }
    const abi::SockaddrStorage raw = TRY(UserPtr<abi::SockaddrStorage>(at).read());
    const IpAddress source = TRY(ip_of(raw, six, Errno::AddressNotAvailable));
    TRY(filter.sources.push(source));
  }
  return socket.set_group_filter(head.request, uni::move(filter));
}

// The filter of a group: how many sources there are, and as many of them as the program has room for.
Result<i64> give_filter(net::Socket& socket, bool six, i32 name, UserAddr value, UserPtr<i32> size) {
  const i32 room = TRY(size.read());
  const FilterHead head = TRY(read_filter_head(six, name, value, room));
  const net::GroupFilter filter = TRY(socket.group_filter(head.request));
  const u32 total = static_cast<u32>(filter.sources.size());
  const u32 part = min(total, head.count);
  const bool old = name == kIpMsfilter;
  const usize start = old ? sizeof(abi::IpMsfilter) : sizeof(abi::GroupFilter);
  const usize step = old ? sizeof(u32) : sizeof(abi::SockaddrStorage);
  const u32 mode_and_count[2] = {static_cast<u32>(filter.mode), total};
  TRY(copy_to_user(value + (start - sizeof mode_and_count), mode_and_count, sizeof mode_and_count));
  for (u32 i = 0; i < part; ++i) {
    const IpAddress& ip = filter.sources[i];
    const UserAddr at = value + start + i * step;
    if (old) {
      TRY(UserPtr<u32>(at).write(ip.v4_raw()));
      continue;
    }
    abi::SockaddrStorage raw{};
    (void)write_sockaddr(net::Address::inet(ip, 0, six ? net::AddressFamily::kInet6 : net::AddressFamily::kInet4),
                         &raw);
    TRY(UserPtr<abi::SockaddrStorage>(at).write(raw));
  }
  TRY(size.write(static_cast<i32>(start + part * step)));
  return i64{0};
}

}  // namespace

bool is_group_option(i32 level, i32 name) {
  if (level == abi::kSolIp && name >= kIpMulticastInterface && name <= kIpMsfilter) return name != 33 && name != 34;
  if (level != abi::kSolIp && level != abi::kSolIpv6) return false;
  if (level == abi::kSolIpv6 && (name == kIpv6JoinGroup || name == kIpv6LeaveGroup)) return true;
  return name >= kMcastJoinGroup && name <= kMcastMsfilter;
}

Result<void> set_group_option(net::Socket& socket, i32 level, i32 name, UserAddr value, i32 size) {
  const bool stream = socket.type() == net::SocketType::kStream;
  const bool six = level == abi::kSolIpv6;
  if (!six && name == kIpMulticastInterface) {
    if (stream) return Errno::Invalid;
    const GroupRequest request = TRY(read_mreqn(value, size, sizeof(u32)));
    return socket.set_multicast_interface(request);
  }
  if (name == kIpMsfilter || name == kMcastMsfilter) return set_filter(socket, six, name, value, size);
  const GroupRequest request = TRY(read_request(level, name, value, size));
  const bool plain = six ? name <= kIpv6LeaveGroup : name <= kIpDropMembership;
  if (stream && plain) return Errno::Protocol;
  return socket.change_group(action_of(name), request);
}

Result<i64> get_group_option(net::Socket& socket, i32 level, i32 name, UserAddr value, UserPtr<i32> size) {
  const bool six = level == abi::kSolIpv6;
  if (name == kIpMsfilter || name == kMcastMsfilter) return give_filter(socket, six, name, value, size);
  if (six || name != kIpMulticastInterface) return Errno::NoProtocolOption;
  const u32 address = socket.multicast_interface().v4_raw();
  const i32 room = TRY(size.read());
  const i32 part = min(room, static_cast<i32>(sizeof address));
  TRY(copy_to_user(value, &address, static_cast<usize>(part)));
  TRY(size.write(part));
  return i64{0};
}

}  // namespace uni::shim
