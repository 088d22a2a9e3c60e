// SPDX-License-Identifier: Apache-2.0
// AF_NETLINK (netlink(7)). NETLINK_ROUTE: questions about links, addresses, routes, rules and neighbours are answered
// at once, as getifaddrs(3), Go's net package and iproute2 ask them; nothing can be changed. NETLINK_SOCK_DIAG: the
// sockets of the port tables. NETLINK_KOBJECT_UEVENT: silent. Groups never hear of anything.
#pragma once

#include "kernel/net/socket.hpp"

namespace uni::net {

struct NetlinkHeader;

class NetlinkSocket final : public Socket {
 public:
  NetlinkSocket(SocketType type, int protocol, u32 open_flags);

  Result<void> bind(const Address& address) override;
  Result<void> connect(const Address& address, Waiting waiting) override;
  Result<Address> local_address() override;
  Result<Address> peer_address() override;
  Result<void> shutdown(ShutdownHow how) override;
  Result<usize> send(Message& message) override;
  Result<usize> receive(Message& message) override;
  u32 poll() override;
  // Puts a datagram of the kernel where the program reads. Errors: NoBuffers.
  Result<void> deliver(const u8* data, usize size) { return queue(data, size); }

 protected:
  usize readable_bytes() override;

 private:
  ~NetlinkSocket() override;
  Result<void> answer(const NetlinkHeader& request, Span<const u8> body);
  Result<void> answer_diagnosis(const NetlinkHeader& request, Span<const u8> body);  // netlink_diag.cpp
  Result<void> queue(const u8* data, usize size);
  void choose_port();

  SpinLock lock_{Rank::kSocket};
  PacketList queue_in_;
  u32 port_ = 0, groups_ = 0;
  Mutex reader_;
};

}  // namespace uni::net
