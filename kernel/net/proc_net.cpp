// SPDX-License-Identifier: Apache-2.0
// The lines of /proc/net (proc(5)): interfaces, routes, sockets of the port tables, IPv6 addresses.
#include "kernel/net/proc_net.hpp"

#include "kernel/fs/procfs/procfs.hpp"
#include "kernel/net/core.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/multicast.hpp"
#include "kernel/net/ports.hpp"
#include "kernel/net/socket.hpp"

namespace uni::net {

namespace {

using fs::procfs::NetFile;

void write_hex(Writer& out, const u8* bytes, usize count) {
  for (usize i = 0; i < count; ++i)
    format(out, "{:02x}", bytes[i]);
}

// Addresses are shown as words in the machine's order, in capitals.
void write_address(Writer& out, const IpAddress& ip, bool six) {
  char text[33];
  BufferWriter buffer(text);
  u32 words[4];
  __builtin_memcpy(words, ip.bytes, sizeof words);
  if (six) {
    for (u32 w : words)
      format(buffer, "{:08x}", w);
  } else {
    format(buffer, "{:08x}", ip.v4_raw());
  }
  for (usize i = 0; i < buffer.view().size(); ++i) {
    const char c = text[i];
    const char upper = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    out.write(StringView(&upper, 1));
  }
}

void write_devices(Writer& out) {
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    format(out, "{:>6}:       0       0    0    0    0     0          0         0", StringView(i.name));
    out.write("        0       0    0    0    0     0       0          0\n");
  }
}

void write_routes(Writer& out) {
  constexpr u32 kUp = 1, kGateway = 2;
  Interface i;
  for (usize n = 1; interface_at(n, &i); ++n) {
    IpAddress gateway{};
    if (default_gateway(false, &gateway)) {
      format(out, "{}\t00000000\t", StringView(i.name));
      write_address(out, gateway, false);
      format(out, "\t{:04x}\t0\t0\t0\t00000000\t0\t0\t0\n", kUp | kGateway);
    }
    for (usize a = 0; a < i.address_count; ++a) {
      if (!i.addresses[a].ip.is_v4()) continue;
      const u8 bits = i.addresses[a].prefix;
      const u32 mask = bits == 0 ? 0 : __builtin_bswap32(~u32{0} << (32 - bits));
      format(out, "{}\t", StringView(i.name));
      write_address(out, IpAddress::v4_raw(i.addresses[a].ip.v4_raw() & mask), false);
      format(out, "\t00000000\t{:04x}\t0\t0\t0\t", kUp);
      write_address(out, IpAddress::v4_raw(mask), false);
      out.write("\t0\t0\t0\n");
    }
  }
}

// Bound and listening sockets: what the port tables know.
void write_ports(Writer& out, PortTable& table, bool six, bool tcp) {
  constexpr u32 kListen = 10, kClose = 7, kEstablished = 1;
  struct Line {
    IpAddress ip, remote;
    u16 port, remote_port;
    u32 state, uid;
    u64 inode;
  };
  constexpr usize kMost = 64;
  auto lines = make_own<Vector<Line>>();
  if (!lines.ok()) return;
  Vector<Line>& list = *lines.value();
  if (!list.reserve(kMost).ok()) return;
  {
    CoreGuard guard;
    table.each_use([&](PortUse& use) {
      if (list.size() == kMost || (use.owner->family() == AddressFamily::kInet6) != six) return;
      const u32 state = tcp ? (use.listening ? kListen : kClose) : (use.connected ? kEstablished : kClose);
      if (tcp && !use.listening) return;
      (void)list.push({use.ip, use.remote, use.port, use.remote_port, state, use.uid, use.owner->number()}).ok();
    });
  }
  usize n = 0;
  for (const Line& line : list) {
    format(out, "{:>4}: ", n++);
    write_address(out, line.ip, six);
    format(out, ":{:04x} ", line.port);
    write_address(out, line.remote, six);
    format(out, ":{:04x} {:02x} 00000000:00000000 00:00000000 00000000 {:>5}        0 {} 1 0000000000000000 0\n",
           line.remote_port, line.state, line.uid, line.inode);
  }
}

void write_inet6_addresses(Writer& out) {
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    for (usize a = 0; a < i.address_count; ++a) {
      const InterfaceAddress& address = i.addresses[a];
      if (address.ip.is_v4()) continue;
      const u32 scope = i.loopback ? 0x10u : (address.ip.is_link_local() ? 0x20u : 0u);
      write_hex(out, address.ip.bytes, sizeof address.ip.bytes);
      format(out, " {:02x} {:02x} {:02x} {:02x} {:>8}\n", i.index, address.prefix, scope,
             (address.tentative ? 0x40u : 0u) | (address.granted() ? 0u : 0x80u), StringView(i.name));
    }
  }
}

void provide(NetFile file, Writer& out) {
  if (!init().ok()) return;
  switch (file) {
    case NetFile::kDevices:
      return write_devices(out);
    case NetFile::kRoutes:
      return write_routes(out);
    case NetFile::kTcp:
      return write_ports(out, g_tcp_ports, false, true);
    case NetFile::kTcp6:
      return write_ports(out, g_tcp_ports, true, true);
    case NetFile::kUdp:
      return write_ports(out, g_udp_ports, false, false);
    case NetFile::kUdp6:
      return write_ports(out, g_udp_ports, true, false);
    case NetFile::kInet6Addresses:
      return write_inet6_addresses(out);
    case NetFile::kIgmp:
      return write_groups(out, false);
    case NetFile::kIgmp6:
      return write_groups(out, true);
    case NetFile::kUnix:
    case NetFile::kArp:
      return;
  }
}

}  // namespace

void provide_proc_net() {
  fs::procfs::set_net_provider(provide);
}

}  // namespace uni::net
