// SPDX-License-Identifier: Apache-2.0
// Builds rtnetlink messages (rtnetlink(7)) into a fixed buffer. Compiled for the host too, where its layout is tested.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/net/interfaces.hpp"

namespace uni::net {

struct NetlinkHeader {
  u32 size;  // header included
  u16 type;
  u16 flags;
  u32 sequence;
  u32 port;
};
static_assert(sizeof(NetlinkHeader) == 16);

enum NetlinkType : u16 {
  kNlError = 2,
  kNlDone = 3,
  kNewLink = 16,
  kGetLink = 18,
  kNewAddress = 20,
  kGetAddress = 22,
  kNewRoute = 24,
  kGetRoute = 26,
  kNewNeighbour = 28,
  kGetNeighbour = 30,
  kNewRule = 32,
  kGetRule = 34,
};

enum NetlinkFlag : u16 { kNlRequest = 1, kNlMulti = 2, kNlAck = 4, kNlRoot = 0x100, kNlMatch = 0x200, kNlDump = 0x300 };

class NetlinkBuilder {
 public:
  NetlinkBuilder(u8* buffer, usize capacity) : buffer_(buffer), capacity_(capacity) {}

  // A message; its body and attributes follow, up to end(). What does not fit is dropped as a whole message.
  void begin(u16 type, u16 flags, u32 sequence, u32 port);
  void body(const void* data, usize size);
  void attribute(u16 type, const void* data, usize size);
  void attribute_u32(u16 type, u32 value) { attribute(type, &value, sizeof value); }
  void attribute_text(u16 type, StringView text);
  void end();

  // Whole messages.
  void link(const Interface& i, u32 sequence, u32 port, u16 flags);
  void address(const Interface& i, const InterfaceAddress& a, u32 sequence, u32 port);
  // A connected network, or the default route where `gateway` is not null.
  void route(const Interface& i, const InterfaceAddress* network, const IpAddress* gateway, u32 sequence, u32 port);
  void neighbour(const Neighbour& n, u32 sequence, u32 port);
  // A rule of the policy database: look into `table`.
  void rule(u8 family, u32 priority, u8 table, u32 sequence, u32 port);
  void done(u32 sequence, u32 port);
  void error(i32 negative_errno, const NetlinkHeader& request, u32 port);

  usize size() const { return used_; }

 private:
  u8* buffer_;
  usize capacity_;
  usize used_ = 0;
  usize start_ = 0;
  bool overflow_ = false;
};

}  // namespace uni::net
