// SPDX-License-Identifier: Apache-2.0
// sockaddr_in, sockaddr_in6, sockaddr_un and sockaddr_nl, in and out, with the length checks that Linux makes.
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/net_common.hpp"

namespace uni::shim {

using net::Address;
using net::AddressFamily;
using net::IpAddress;

Result<RefPtr<net::Socket>> get_socket(i32 fd) {
  RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->kind() != fs::FileKind::kSocket) return Errno::NotSocket;
  // SAFETY: only Sockets are of this kind.
  return RefPtr<net::Socket>::adopt(static_cast<net::Socket*>(file.leak()));
}

namespace {

Result<Address> read_inet4(const abi::SockaddrStorage& raw, u32 size) {
  if (size < sizeof(abi::SockaddrIn)) return Errno::Invalid;
  abi::SockaddrIn in;
  __builtin_memcpy(&in, &raw, sizeof in);
  return Address::inet(IpAddress::v4_raw(in.address), __builtin_bswap16(in.port), AddressFamily::kInet4);
}

Result<Address> read_inet6(const abi::SockaddrStorage& raw, u32 size) {
  if (size < abi::kSockaddrIn6Least) return Errno::Invalid;
  abi::SockaddrIn6 in{};
  __builtin_memcpy(&in, &raw, min<usize>(size, sizeof in));
  IpAddress ip{};
  __builtin_memcpy(ip.bytes, in.address, sizeof ip.bytes);
  Address a = Address::inet(ip, __builtin_bswap16(in.port), AddressFamily::kInet6);
  a.flow = in.flow;
  a.scope = in.scope;
  return a;
}

Result<Address> read_unix(const abi::SockaddrStorage& raw, u32 size) {
  if (size > sizeof(abi::SockaddrUn)) return Errno::Invalid;
  Address a = Address::unix_unnamed();
  const char* path = reinterpret_cast<const char*>(raw.bytes);
  const u32 room = size - static_cast<u32>(sizeof raw.family);
  if (room == 0) return a;
  u32 length = room;
  if (path[0] != '\0') {
    length = 0;
    while (length < room && path[length] != '\0')
      ++length;
  }
  __builtin_memcpy(a.path, path, length);
  a.path_size = static_cast<u8>(length);
  return a;
}

}  // namespace

Result<Address> read_address(const net::Socket& socket, UserAddr from, i32 size) {
  if (size < 0 || static_cast<usize>(size) > sizeof(abi::SockaddrStorage)) return Errno::Invalid;
  abi::SockaddrStorage raw{};
  const u32 length = static_cast<u32>(size);
  if (length > 0) TRY(copy_from_user(&raw, from, length));
  if (length < sizeof raw.family) return Errno::Invalid;
  switch (socket.family()) {
    case AddressFamily::kUnix:
      if (raw.family == abi::kAfUnspec && socket.type() == net::SocketType::kDatagram) return Address::none();
      if (raw.family != abi::kAfUnix) return Errno::Invalid;
      return read_unix(raw, length);
    case AddressFamily::kInet4:
    case AddressFamily::kInet6:
      break;
    case AddressFamily::kNetlink: {
      if (length < sizeof(abi::SockaddrNl) || raw.family != abi::kAfNetlink) return Errno::Invalid;
      abi::SockaddrNl in;
      __builtin_memcpy(&in, &raw, sizeof in);
      Address a;
      a.family = AddressFamily::kNetlink;
      a.netlink_port = in.port;
      a.netlink_groups = in.groups;
      return a;
    }
    case AddressFamily::kNone:
      return Errno::Invalid;
  }
  switch (raw.family) {
    case abi::kAfUnspec: {
      Address a = Address::none();
      if (length < sizeof(abi::SockaddrIn)) return a;
      a = TRY(read_inet4(raw, length));
      a.family = AddressFamily::kNone;
      return a;
    }
    case abi::kAfInet:
      return read_inet4(raw, length);
    case abi::kAfInet6:
      return read_inet6(raw, length);
    default:
      return Errno::AddressFamilyNotSupported;
  }
}

u32 write_sockaddr(const Address& address, abi::SockaddrStorage* out) {
  switch (address.family) {
    case AddressFamily::kInet4: {
      const abi::SockaddrIn in{abi::kAfInet, __builtin_bswap16(address.port), address.ip.v4_raw(), {}};
      __builtin_memcpy(out, &in, sizeof in);
      return sizeof in;
    }
    case AddressFamily::kInet6: {
      abi::SockaddrIn6 in{abi::kAfInet6, __builtin_bswap16(address.port), address.flow, {}, address.scope};
      __builtin_memcpy(in.address, address.ip.bytes, sizeof in.address);
      __builtin_memcpy(out, &in, sizeof in);
      return sizeof in;
    }
    case AddressFamily::kUnix: {
      out->family = abi::kAfUnix;
      __builtin_memcpy(out->bytes, address.path, address.path_size);
      const u32 size = static_cast<u32>(sizeof out->family) + address.path_size;
      if (address.path_size == 0 || address.is_abstract()) return size;
      out->bytes[address.path_size] = 0;
      return size + 1;
    }
    case AddressFamily::kNetlink: {
      const abi::SockaddrNl in{abi::kAfNetlink, 0, address.netlink_port, address.netlink_groups};
      __builtin_memcpy(out, &in, sizeof in);
      return sizeof in;
    }
    case AddressFamily::kNone:
      break;
  }
  return 0;
}

Result<void> put_address(const Address& address, UserAddr to, UserPtr<i32> size) {
  const i32 room = TRY(size.read());
  if (room < 0) return Errno::Invalid;
  abi::SockaddrStorage raw;
  const u32 length = write_sockaddr(address, &raw);
  const u32 part = min(length, static_cast<u32>(room));
  if (part > 0) TRY(copy_to_user(to, &raw, part));
  return size.write(static_cast<i32>(length));
}

usize install_rights(net::Rights& rights, bool close_on_exec, i32* numbers, usize room) {
  usize placed = 0;
  for (RefPtr<fs::File>& file : rights.files) {
    if (placed == room) break;
    Result<int> fd = Process::current().files->install(file, close_on_exec);
    if (!fd.ok()) break;
    numbers[placed++] = fd.take();
  }
  return placed;
}

}  // namespace uni::shim
