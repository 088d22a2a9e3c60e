// SPDX-License-Identifier: Apache-2.0
// socket(2), bind(2), connect(2), listen(2), accept(2), getsockname(2), shutdown(2), socketpair(2). Errors in Linux's
// order (net/socket.c).
#include "syscall-shim/linux/net.hpp"

#include "kernel/net/create.hpp"
#include "kernel/net/unix_socket.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/landlock.hpp"
#include "syscall-shim/linux/net_common.hpp"

namespace uni::shim {

namespace {

using net::Address;
using net::AddressFamily;

constexpr i32 kTypeFlags = abi::kSockNonBlock | abi::kSockCloseOnExec;

fs::FileTable& files() {
  return *Process::current().files;
}

u32 open_flags_of(i32 type) {
  return (type & abi::kSockNonBlock) != 0 ? u32{fs::kOpenNonBlock} : 0;
}

Result<RefPtr<net::Socket>> create(i32 family, i32 type, i32 protocol) {
  if ((type & ~(abi::kSockTypeMask | kTypeFlags)) != 0) return Errno::Invalid;
  const u32 flags = open_flags_of(type);
  const i32 kind = type & abi::kSockTypeMask;
  if (family < 0 || family >= abi::kAfMax) return Errno::AddressFamilyNotSupported;
  if (kind >= abi::kSockMax) return Errno::Invalid;
  switch (family) {
    case abi::kAfUnix:
      return net::create_unix(kind, protocol, flags);
    case abi::kAfInet:
      return net::create_inet(AddressFamily::kInet4, kind, protocol, flags);
    case abi::kAfInet6:
      return net::create_inet(AddressFamily::kInet6, kind, protocol, flags);
    case abi::kAfNetlink:
      return net::create_netlink(kind, protocol, flags);
    default:
      return Errno::AddressFamilyNotSupported;
  }
}

}  // namespace

Result<i64> sys_socket(i32 family, i32 type, i32 protocol) {
  RefPtr<net::Socket> socket = TRY(create(family, type, protocol));
  return TRY(files().install(uni::move(socket), (type & abi::kSockCloseOnExec) != 0));
}

Result<i64> sys_socketpair(i32 family, i32 type, i32 protocol, UserPtr<i32> fds) {
  if ((type & ~(abi::kSockTypeMask | kTypeFlags)) != 0) return Errno::Invalid;
  if (family != abi::kAfUnix) {
    TRY(create(family, type, protocol));
    return Errno::NotSupported;
  }
  if (protocol != 0 && protocol != abi::kAfUnix) return Errno::ProtocolNotSupported;
  i32 kind = type & abi::kSockTypeMask;
  if (kind == abi::kSockRaw) kind = abi::kSockDgram;
  if (kind != abi::kSockStream && kind != abi::kSockDgram && kind != abi::kSockSeqPacket) {
    return Errno::SocketTypeNotSupported;
  }
  RefPtr<net::Socket> ends[2];
  TRY(net::UnixSocket::create_pair(static_cast<net::SocketType>(kind), open_flags_of(type), &ends[0], &ends[1]));
  const bool close_on_exec = (type & abi::kSockCloseOnExec) != 0;
  i32 numbers[2];
  numbers[0] = TRY(files().install(uni::move(ends[0]), close_on_exec));
  Result<int> second = files().install(uni::move(ends[1]), close_on_exec);
  if (!second.ok()) {
    (void)files().close(numbers[0]).ok();
    return second.error();
  }
  numbers[1] = second.take();
  const Result<void> told = copy_to_user(fds.address(), numbers, sizeof numbers);
  if (!told.ok()) {
    (void)files().close(numbers[0]).ok();
    (void)files().close(numbers[1]).ok();
    return told.error();
  }
  return 0;
}

Result<i64> sys_bind(i32 fd, UserAddr address, i32 size) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  const Address at = TRY(read_address(*socket, address, size));
  TRY(check_landlock_port(*socket, at, landlock::kBindTcp));
  TRY(socket->bind(at));
  return 0;
}

Result<i64> sys_connect(i32 fd, UserAddr address, i32 size) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  const Address to = TRY(read_address(*socket, address, size));
  TRY(check_landlock_port(*socket, to, landlock::kConnectTcp));
  TRY(socket->connect(to));
  return 0;
}

Result<i64> sys_listen(i32 fd, i32 backlog) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  TRY(socket->listen(backlog));
  return 0;
}

Result<i64> accept_socket(net::Socket& socket, UserAddr address, UserPtr<i32> size, i32 flags, net::Waiting waiting) {
  if ((flags & ~kTypeFlags) != 0) return Errno::Invalid;
  RefPtr<net::Socket> child = TRY(socket.accept(open_flags_of(flags), waiting));
  if (!is_null(address)) {
    // A connection whose peer is gone already is shown with what accept knows (Linux: ECONNABORTED).
    Result<Address> peer = child->peer_address();
    if (!peer.ok()) return Errno::ConnectionAborted;
    TRY(put_address(peer.value(), address, size));
  }
  return TRY(files().install(uni::move(child), (flags & abi::kSockCloseOnExec) != 0));
}

Result<i64> sys_accept4(i32 fd, UserAddr address, UserPtr<i32> size, i32 flags) {
  if ((flags & ~kTypeFlags) != 0) return Errno::Invalid;
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  return accept_socket(*socket, address, size, flags, net::Waiting::kAllowed);
}

Result<i64> sys_accept(i32 fd, UserAddr address, UserPtr<i32> size) {
  return sys_accept4(fd, address, size, 0);
}

Result<i64> sys_getsockname(i32 fd, UserAddr address, UserPtr<i32> size) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  Address name = TRY(socket->local_address());
  TRY(put_address(name, address, size));
  return 0;
}

Result<i64> sys_getpeername(i32 fd, UserAddr address, UserPtr<i32> size) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  Address name = TRY(socket->peer_address());
  TRY(put_address(name, address, size));
  return 0;
}

Result<i64> sys_shutdown(i32 fd, i32 how) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  if (how < 0 || how > 2) return Errno::Invalid;
  TRY(socket->shutdown(static_cast<net::ShutdownHow>(how)));
  return 0;
}

}  // namespace uni::shim
