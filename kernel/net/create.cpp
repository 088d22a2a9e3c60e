// SPDX-License-Identifier: Apache-2.0
// socket(2)'s choice of the kind, with Linux's errors (inet_create, unix_create, netlink_create).
#include "kernel/net/create.hpp"

#include "kernel/fs/procfs/ping_range.hpp"
#include "kernel/net/netlink_socket.hpp"
#include "kernel/net/tcp_socket.hpp"
#include "kernel/net/udp_socket.hpp"
#include "kernel/net/unix_socket.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

enum Protocol : int { kIp = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kUdpLite = 136, kProtocolMax = 263 };
constexpr int kStream = 1, kDatagram = 2, kRaw = 3, kSeqPacket = 5;
constexpr int kUnixProtocol = 1;
constexpr int kNetlinkRoute = 0, kNetlinkDiag = 4, kNetlinkUevent = 15, kNetlinkMax = 32;
constexpr unsigned kCapNetRaw = 13;

}  // namespace

Result<RefPtr<Socket>> create_inet(AddressFamily family, int type, int protocol, u32 open_flags) {
  if (protocol < 0 || protocol >= kProtocolMax) return Errno::Invalid;
  const int echo = family == AddressFamily::kInet6 ? kIcmp6 : kIcmp;
  switch (type) {
    case kStream:
      if (protocol != kIp && protocol != kTcp) return Errno::ProtocolNotSupported;
      return RefPtr<Socket>(TRY(TcpSocket::create(family, open_flags)));
    case kDatagram:
      if (protocol != kIp && protocol != kUdp && protocol != kUdpLite && protocol != echo)
        return Errno::ProtocolNotSupported;
      if (protocol == echo && !fs::procfs::may_ping()) return Errno::Access;
      return RefPtr<Socket>(
          TRY(UdpSocket::create(family, SocketType::kDatagram, protocol == kIp ? int{kUdp} : protocol, open_flags)));
    case kRaw:
      if (protocol == kIp) return Errno::ProtocolNotSupported;
      if (!Process::current().credentials.capable(kCapNetRaw)) return Errno::NotPermitted;
      // Raw UDP is told from a UDP socket by its protocol number: not offered.
      if (protocol == kUdp || protocol == kUdpLite) return Errno::ProtocolNotSupported;
      return RefPtr<Socket>(TRY(UdpSocket::create(family, SocketType::kRaw, protocol, open_flags)));
    default:
      return Errno::SocketTypeNotSupported;
  }
}

Result<RefPtr<Socket>> create_unix(int type, int protocol, u32 open_flags) {
  if (protocol != 0 && protocol != kUnixProtocol) return Errno::ProtocolNotSupported;
  if (type == kRaw) type = kDatagram;
  if (type != kStream && type != kDatagram && type != kSeqPacket) return Errno::SocketTypeNotSupported;
  return RefPtr<Socket>(TRY(UnixSocket::create(static_cast<SocketType>(type), open_flags)));
}

Result<RefPtr<Socket>> create_netlink(int type, int protocol, u32 open_flags) {
  if (type != kRaw && type != kDatagram) return Errno::SocketTypeNotSupported;
  if (protocol < 0 || protocol >= kNetlinkMax) return Errno::ProtocolNotSupported;
  if (protocol != kNetlinkRoute && protocol != kNetlinkDiag && protocol != kNetlinkUevent)
    return Errno::ProtocolNotSupported;
  return RefPtr<Socket>(TRY(make_ref<NetlinkSocket>(static_cast<SocketType>(type), protocol, open_flags)));
}

}  // namespace uni::net
