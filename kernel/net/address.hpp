// SPDX-License-Identifier: Apache-2.0
// Socket addresses, independent of sockaddr's layouts (syscall-shim/abi/socket.hpp). An IPv4 address is kept as the
// IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), so that both families share tables and comparisons.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::net {

struct IpAddress {
  u8 bytes[16];

  static constexpr IpAddress v4(u8 a, u8 b, u8 c, u8 d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  // From the four bytes as they lie in memory (network order).
  static IpAddress v4_raw(u32 network_order) {
    IpAddress a = v4(0, 0, 0, 0);
    __builtin_memcpy(a.bytes + 12, &network_order, 4);
    return a;
  }
  u32 v4_raw() const {
    u32 value = 0;
    __builtin_memcpy(&value, bytes + 12, 4);
    return value;
  }
  bool is_v4() const {
    u64 high = 0;
    u32 middle = 0;
    __builtin_memcpy(&high, bytes, 8);
    __builtin_memcpy(&middle, bytes + 8, 4);
    return high == 0 && middle == 0xffff0000u;
  }
  bool is_any() const {
    u64 high = 0;
    u64 low = 0;
    __builtin_memcpy(&high, bytes, 8);
    __builtin_memcpy(&low, bytes + 8, 8);
    return high == 0 && (low == 0 || low == 0x00000000ffff0000ull);
  }
  bool is_loopback() const { return is_v4() ? bytes[12] == 127 : *this == v6_loopback(); }
  bool is_multicast() const { return is_v4() ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff; }
  bool is_limited_broadcast() const { return is_v4() && v4_raw() == ~u32{0}; }
  bool is_link_local() const { return !is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80; }
  // Does it mean something only together with an interface? (RFC 4007)
  bool needs_scope() const {
    return is_link_local() || (!is_v4() && bytes[0] == 0xff && ((bytes[1] & 0xf) == 1 || (bytes[1] & 0xf) == 2));
  }
  static constexpr IpAddress v6_loopback() { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}; }

  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    return __builtin_memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
  }
};

inline constexpr IpAddress kAnyV4 = IpAddress::v4(0, 0, 0, 0);
inline constexpr IpAddress kAnyV6 = {};

enum class AddressFamily : u8 { kNone, kUnix, kInet4, kInet6, kNetlink };

// An address of any family; `family` says which members count.
struct Address {
  static constexpr usize kPathMax = 108;

  AddressFamily family = AddressFamily::kNone;
  // kUnix: 0 unnamed; a path, or a NUL and an abstract name. Without a closing NUL.
  u8 path_size = 0;
  // kInet4, kInet6: host order.
  u16 port = 0;
  u32 scope = 0;  // kInet6: interface index of a link-local address
  u32 flow = 0;
  IpAddress ip = kAnyV4;
  u32 netlink_port = 0;
  u32 netlink_groups = 0;
  char path[kPathMax];  // not initialised: path_size says how much is

  static Address none() { return {}; }
  static Address unix_unnamed() {
    Address a;
    a.family = AddressFamily::kUnix;
    return a;
  }
  static Address inet(const IpAddress& address, u16 port_number, AddressFamily shown_as) {
    Address a;
    a.family = shown_as;
    a.ip = address;
    a.port = port_number;
    return a;
  }
  StringView unix_name() const { return {path, path_size}; }
  bool is_abstract() const { return path_size > 0 && path[0] == '\0'; }
};

}  // namespace uni::net
