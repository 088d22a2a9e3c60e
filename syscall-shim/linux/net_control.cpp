// SPDX-License-Identifier: Apache-2.0
// Control messages in and out. Understood: SCM_RIGHTS, SCM_CREDENTIALS on AF_UNIX; IP_PKTINFO, IPV6_PKTINFO, IP_TTL,
// IP_TOS and their IPv6 forms, and UDP_SEGMENT on UDP. Others are Invalid on the way in, as on Linux.
#include "syscall-shim/linux/net_control.hpp"

#include "kernel/base/vector.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/net_common.hpp"

namespace uni::shim {

namespace {

using net::AddressFamily;

constexpr u64 kControlMax = 16 * kKiB;
constexpr i32 kIpTos = 1, kIpTtl = 2, kIpPktinfo = 8;
constexpr i32 kIpv6Pktinfo = 50, kIpv6Hoplimit = 52, kIpv6Tclass = 67;

Result<void> take_rights(Span<const u8> data, net::Message& message) {
  const usize count = data.size() / sizeof(i32);
  if (count > abi::kScmMaxFd) return Errno::Invalid;
  if (count == 0) return {};
  if (!message.rights) message.rights = TRY(make_own<net::Rights>());
  for (usize i = 0; i < count; ++i) {
    i32 fd = 0;
    __builtin_memcpy(&fd, data.data() + i * sizeof fd, sizeof fd);
    RefPtr<fs::File> file = TRY(Process::current().files->get(fd, true));
    if (file->kind() == fs::FileKind::kUring) return Errno::Invalid;  // its registered files could make a ring
    TRY(message.rights->files.push(uni::move(file)));
  }
  return {};
}

// A process may only show itself, unless it is privileged (unix(7), SCM_CREDENTIALS).
Result<void> take_credentials(Span<const u8> data, net::Message& message) {
  if (data.size() != sizeof(abi::Ucred)) return Errno::Invalid;
  abi::Ucred who;
  __builtin_memcpy(&who, data.data(), sizeof who);
  const Process& process = Process::current();
  const Credentials& own = process.credentials;
  constexpr unsigned kCapSetgid = 6, kCapSetuid = 7, kCapSysAdmin = 21;
  const bool pid_ok = who.pid == raw(process.pid()) || own.capable(kCapSysAdmin);
  const bool uid_ok = who.uid == own.uid || who.uid == own.euid || who.uid == own.suid || own.capable(kCapSetuid);
  const bool gid_ok = who.gid == own.gid || who.gid == own.egid || who.gid == own.sgid || own.capable(kCapSetgid);
  if (!pid_ok || !uid_ok || !gid_ok) return Errno::NotPermitted;
  message.has_credentials = true;
  message.credentials = {who.pid, who.uid, who.gid};
  return {};
}

// A number for this datagram alone (ip_cmsg_send, ip6_datagram_send_ctl). IPv6 takes -1 for the socket's own.
Result<void> take_number(Span<const u8> data, i32 least, i32* to) {
  i32 value = 0;
  if (data.size() != sizeof value) return Errno::Invalid;
  __builtin_memcpy(&value, data.data(), sizeof value);
  if (value < least || value > 255) return Errno::Invalid;
  *to = value;
  return {};
}

// IP_TTL, IP_TOS (an int or a byte) and their IPv6 forms. True where the message is one of them.
Result<bool> take_header_field(const abi::Cmsghdr& header, Span<const u8> data, net::Message& message) {
  if (header.level == abi::kSolIp && header.type == kIpTtl) {
    TRY(take_number(data, 1, &message.own_ttl));
  } else if (header.level == abi::kSolIp && header.type == kIpTos) {
    if (data.size() == 1)
      message.own_tos = data[0];
    else
      TRY(take_number(data, 0, &message.own_tos));
  } else if (header.level == abi::kSolIpv6 && header.type == kIpv6Hoplimit) {
    TRY(take_number(data, -1, &message.own_ttl));
  } else if (header.level == abi::kSolIpv6 && header.type == kIpv6Tclass) {
    TRY(take_number(data, -1, &message.own_tos));
  } else {
    return false;
  }
  return true;
}

// UDP_SEGMENT (__udp_cmsg_send): the one message of its level.
Result<void> take_segment(const abi::Cmsghdr& header, Span<const u8> data, net::Message& message) {
  constexpr i32 kUdpSegment = 103;
  u16 size = 0;
  if (header.type != kUdpSegment || data.size() != sizeof size) return Errno::Invalid;
  __builtin_memcpy(&size, data.data(), sizeof size);
  message.own_segment = size;
  return {};
}

Result<void> take_one(const net::Socket& socket, const abi::Cmsghdr& header, Span<const u8> data,
                      net::Message& message) {
  const bool is_unix = socket.family() == AddressFamily::kUnix;
  const bool is_internet = socket.family() == AddressFamily::kInet4 || socket.family() == AddressFamily::kInet6;
  if (header.level == abi::kSolSocket) {
    switch (header.type) {
      case abi::kScmRights:
        if (is_unix) return take_rights(data, message);
        return is_internet ? Result<void>() : Result<void>(Errno::Invalid);
      case abi::kScmCredentials:
        return is_unix ? take_credentials(data, message) : Result<void>();
      default:
        return Errno::Invalid;
    }
  }
  if (is_unix) return {};
  if (socket.type() != net::SocketType::kStream && TRY(take_header_field(header, data, message))) return {};
  if (header.level == abi::kSolUdp && socket.protocol() == abi::kProtoUdp) return take_segment(header, data, message);
  if (header.level == abi::kSolIp && header.type == kIpPktinfo && data.size() >= sizeof(abi::InPktinfo)) {
    abi::InPktinfo info;
    __builtin_memcpy(&info, data.data(), sizeof info);
    message.has_packet_info = info.specified != 0;
    message.packet_to = net::IpAddress::v4_raw(info.specified);
    message.packet_interface = static_cast<u32>(info.index);
  } else if (header.level == abi::kSolIpv6 && header.type == kIpv6Pktinfo && data.size() >= sizeof(abi::In6Pktinfo)) {
    abi::In6Pktinfo info;
    __builtin_memcpy(&info, data.data(), sizeof info);
    __builtin_memcpy(message.packet_to.bytes, info.to, sizeof info.to);
    message.has_packet_info = !message.packet_to.is_any();
    message.packet_interface = info.index;
  } else if (socket.type() != net::SocketType::kStream &&
             header.level == (socket.family() == AddressFamily::kInet6 ? abi::kSolIpv6 : abi::kSolIp)) {
    return Errno::Invalid;
  }
  return {};
}

// Appends control messages to the program's buffer.
class ControlWriter {
 public:
  ControlWriter(UserAddr at, u64 room) : at_(at), room_(room) {}

  // Bytes of data that another message can have.
  u64 space() const { return room_ - used_ < sizeof(abi::Cmsghdr) ? 0 : room_ - used_ - sizeof(abi::Cmsghdr); }
  bool fits_header() const { return room_ - used_ >= sizeof(abi::Cmsghdr); }

  // What does not fit is cut off, and said so (put_cmsg).
  Result<void> put(i32 level, i32 type, const void* data, u64 size, u32* out_flags) {
    if (!fits_header()) {
      *out_flags |= net::kMsgCtrunc;
      return {};
    }
    const u64 part = min(size, space());
    if (part < size) *out_flags |= net::kMsgCtrunc;
    const abi::Cmsghdr header{sizeof header + part, level, type};
    TRY(copy_to_user(at_ + used_, &header, sizeof header));
    if (part > 0) TRY(copy_to_user(at_ + used_ + sizeof header, data, part));
    used_ += min(align_up(header.size, sizeof(u64)), room_ - used_);
    return {};
  }
  u64 used() const { return used_; }

 private:
  UserAddr at_;
  u64 room_;
  u64 used_ = 0;
};

// When the packet came: a struct timeval, or a struct timespec.
Result<void> put_stamp(net::Socket& socket, net::Message& message, ControlWriter& out) {
  if (message.time_ns == 0) return {};
  const Result<i64> fine = socket.get_option(net::Option::kTimestampNs);
  const bool nanoseconds = fine.ok() && fine.value() != 0;
  const i64 rest = static_cast<i64>(message.time_ns % time::kSecond);
  const i64 stamp[2] = {static_cast<i64>(message.time_ns / time::kSecond), nanoseconds ? rest : rest / 1000};
  return out.put(abi::kSolSocket, nanoseconds ? abi::kScmTimestampNs : abi::kScmTimestamp, stamp, sizeof stamp,
                 &message.out_flags);
}

// IP_RECVERR: what the error was, and who said so.
Result<void> put_error(net::Socket& socket, net::Message& message, ControlWriter& out) {
  if (!message.error) return {};
  constexpr i32 kIpRecverr = 11, kIpv6Recverr = 25;
  const net::QueuedError& e = *message.error;
  struct {
    abi::ExtendedError error;
    abi::SockaddrStorage offender;
  } both{};
  both.error = {static_cast<u32>(e.number), e.origin, e.type, e.code, 0, e.info, e.data};
  const bool six = socket.family() == AddressFamily::kInet6;
  // Where nobody out there said so (MSG_ZEROCOPY), the offender is an address of zeros.
  u64 size = sizeof both.error;
  if (e.offender.family != net::AddressFamily::kNone)
    size += write_sockaddr(e.offender, &both.offender);
  else
    size += six ? sizeof(abi::SockaddrIn6) : sizeof(abi::SockaddrIn);
  return out.put(six ? abi::kSolIpv6 : abi::kSolIp, six ? kIpv6Recverr : kIpRecverr, &both, size, &message.out_flags);
}

Result<void> put_ip_information(net::Socket& socket, net::Message& message, ControlWriter& out) {
  const auto asked = [&](net::Option option) {
    Result<i64> r = socket.get_option(option);
    return r.ok() && r.value() != 0;
  };
  const bool v4 = message.packet_to.is_v4();
  if (v4 && asked(net::Option::kPacketInfo)) {
    const u32 to = message.packet_to.v4_raw();
    // Of what went to a group, the address that an answer would come from (fib_compute_spec_dst).
    net::IpAddress own = message.packet_to;
    if (own.is_multicast()) (void)net::interface_address_v4(message.packet_interface, &own);
    const abi::InPktinfo info{static_cast<i32>(message.packet_interface), own.v4_raw(), to};
    TRY(out.put(abi::kSolIp, kIpPktinfo, &info, sizeof info, &message.out_flags));
  }
  const bool six = socket.family() == AddressFamily::kInet6;
  if (six && asked(net::Option::kV6PacketInfo)) {
    abi::In6Pktinfo info{};
    __builtin_memcpy(info.to, message.packet_to.bytes, sizeof info.to);
    info.index = message.packet_interface;
    TRY(out.put(abi::kSolIpv6, kIpv6Pktinfo, &info, sizeof info, &message.out_flags));
  }
  const i32 ttl = message.ttl;
  const i32 tos = message.tos;
  if (v4 && asked(net::Option::kReceiveTtl)) TRY(out.put(abi::kSolIp, kIpTtl, &ttl, sizeof ttl, &message.out_flags));
  if (v4 && asked(net::Option::kReceiveTos)) {
    TRY(out.put(abi::kSolIp, kIpTos, &message.tos, sizeof message.tos, &message.out_flags));
  }
  if (six && asked(net::Option::kV6ReceiveHops)) {
    TRY(out.put(abi::kSolIpv6, kIpv6Hoplimit, &ttl, sizeof ttl, &message.out_flags));
  }
  if (six && asked(net::Option::kV6ReceiveTrafficClass)) {
    TRY(out.put(abi::kSolIpv6, kIpv6Tclass, &tos, sizeof tos, &message.out_flags));
  }
  return {};
}

}  // namespace

Result<void> read_control(const net::Socket& socket, const abi::Msghdr& header, net::Message& message) {
  if (header.control_size > kControlMax) return Errno::NoBuffers;
  Vector<u8> control;
  TRY(control.resize(header.control_size));
  TRY(copy_from_user(control.data(), UserAddr{header.control}, control.size()));
  usize at = 0;
  while (control.size() - at >= sizeof(abi::Cmsghdr)) {
    abi::Cmsghdr one;
    __builtin_memcpy(&one, control.data() + at, sizeof one);
    if (one.size < sizeof one || one.size > control.size() - at) return Errno::Invalid;
    const Span<const u8> data(control.data() + at + sizeof one, one.size - sizeof one);
    TRY(take_one(socket, one, data, message));
    const usize step = align_up(one.size, sizeof(u64));
    if (step >= control.size() - at) break;
    at += step;
  }
  return {};
}

Result<u64> write_control(net::Socket& socket, const abi::Msghdr& header, net::Message& message) {
  ControlWriter out(UserAddr{header.control}, header.control != 0 ? header.control_size : 0);
  TRY(put_stamp(socket, message, out));
  if (socket.family() == AddressFamily::kInet4 || socket.family() == AddressFamily::kInet6) {
    if (message.has_packet_info) TRY(put_ip_information(socket, message, out));
    TRY(put_error(socket, message, out));
    return out.used();
  }
  if (socket.family() != AddressFamily::kUnix) return u64{0};
  Result<i64> wants = socket.get_option(net::Option::kPassCredentials);
  if (message.has_credentials && wants.ok() && wants.value() != 0) {
    const abi::Ucred who{message.credentials.pid, message.credentials.uid, message.credentials.gid};
    TRY(out.put(abi::kSolSocket, abi::kScmCredentials, &who, sizeof who, &message.out_flags));
  }
  if (message.rights) {
    const usize all = message.rights->files.size();
    const usize room = min<usize>(out.space() / sizeof(i32), abi::kScmMaxFd);
    i32 numbers[abi::kScmMaxFd];
    const usize placed = install_rights(*message.rights, (message.flags & net::kMsgCmsgCloexec) != 0, numbers, room);
    if (placed < all) message.out_flags |= net::kMsgCtrunc;
    if (placed > 0) TRY(out.put(abi::kSolSocket, abi::kScmRights, numbers, placed * sizeof(i32), &message.out_flags));
  }
  return out.used();
}

}  // namespace uni::shim
