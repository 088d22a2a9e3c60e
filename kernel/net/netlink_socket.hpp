// SPDX-License-Identifier: Apache-2.0
// AF_NETLINK, protocol NETLINK_ROUTE (netlink(7)): questions about links, addresses and routes are answered at once, as
// getifaddrs(3) and Go's net package ask them. Nothing can be changed, and groups never hear of anything.
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
  Result<void> queue(const u8* data, usize size);
  void choose_port();

  SpinLock lock_{Rank::kSocket};
  PacketList queue_in_;
  u32 port_ = 0, groups_ = 0;
  Mutex reader_;
};

}  // namespace uni::net
