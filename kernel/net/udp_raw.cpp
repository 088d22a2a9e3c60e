// SPDX-License-Identifier: Apache-2.0
// Raw and "ping" sockets within the machine (raw(7), icmp(7)): copies to all that want a packet, and ICMP's echo, which
// is answered here. What goes over the wire is in udp_wire.cpp.
#include "kernel/net/interfaces.hpp"
#include "kernel/net/udp_socket.hpp"
#include "lwip/prot/icmp.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"

extern "C" uint16_t uni_lwip_checksum(const void* data, int size);

namespace uni::net {

namespace {

constexpr u8 kProtoIcmp = 1, kProtoIcmp6 = 58;
constexpr usize kIcmpHeader = 8;

u16 g_next_identification = 1;

void put_checksum(u8* bytes, usize size, u32 pseudo) {
  bytes[2] = bytes[3] = 0;
  u32 sum = uni_lwip_checksum(bytes, static_cast<int>(size)) + pseudo;
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  const u16 field = static_cast<u16>(~sum);
  __builtin_memcpy(bytes + 2, &field, sizeof field);
}

// The sum over IPv6's pseudo-header (RFC 8200, 8.1), not complemented.
u32 pseudo_sum(const IpAddress& from, const IpAddress& to, usize size) {
  u8 header[40] = {};
  __builtin_memcpy(header, from.bytes, 16);
  __builtin_memcpy(header + 16, to.bytes, 16);
  header[34] = static_cast<u8>(size >> 8);
  header[35] = static_cast<u8>(size);
  header[39] = kProtoIcmp6;
  return uni_lwip_checksum(header, sizeof header);
}

}  // namespace

// A packet within the machine, without its IP header.
struct UdpSocket::RawData {
  u8 protocol;
  IpAddress from, to;
  u8 ttl, tos;
  u8* bytes;
  usize size;

  bool is_icmp() const { return protocol == (to.is_v4() ? kProtoIcmp : kProtoIcmp6); }
  // The packet as a raw socket reads it, IPv4's with its header.
  Packet* make_packet(bool with_header) const {
    const usize header = with_header ? IP_HLEN : 0;
    PacketPtr packet(Packet::create(max<usize>(header + size, 1)));
    if (!packet || packet->capacity < header + size) return nullptr;
    if (with_header) {
      const u16 total = __builtin_bswap16(static_cast<u16>(header + size));
      const u16 identification = __builtin_bswap16(g_next_identification);
      u8 ip[IP_HLEN] = {0x45, tos, 0, 0, 0, 0, 0x40, 0, ttl, protocol};
      const u32 ends[2] = {from.v4_raw(), to.v4_raw()};
      __builtin_memcpy(ip + 2, &total, sizeof total);
      __builtin_memcpy(ip + 4, &identification, sizeof identification);
      __builtin_memcpy(ip + 12, ends, sizeof ends);
      const u16 sum = static_cast<u16>(~uni_lwip_checksum(ip, sizeof ip));
      __builtin_memcpy(ip + 10, &sum, sizeof sum);
      __builtin_memcpy(packet->data, ip, sizeof ip);
    }
    __builtin_memcpy(packet->data + header, bytes, size);
    packet->size = static_cast<u32>(header + size);
    packet->ttl = ttl;
    packet->tos = tos;
    packet->to = to;
    packet->interface = to.is_loopback() ? kLoopbackIndex : kWireIndex;
    packet->from =
        new (std::nothrow) Address(Address::inet(from, 0, to.is_v4() ? AddressFamily::kInet4 : AddressFamily::kInet6));
    return packet->from == nullptr ? nullptr : packet.release();
  }
};

struct UdpSocket::RawList {
  static List<UdpSocket, &UdpSocket::raw_node_>& all() {
    static constinit List<UdpSocket, &UdpSocket::raw_node_> list;
    return list;
  }
};

void UdpSocket::enter_raw() {
  RawList::all().push_back(*this);
}

UdpSocket* UdpSocket::next_raw(UdpSocket* after) {
  return after == nullptr ? RawList::all().front() : RawList::all().next(*after);
}

bool UdpSocket::icmp_type_wanted(u8 icmp_type) const {
  const bool six = family() == AddressFamily::kInet6;
  if (!six && icmp_type >= 32) return true;
  // Words in the machine's order, as the program sees them.
  u32 word = 0;
  __builtin_memcpy(&word, icmp_filter_ + icmp_type / 32 * sizeof word, sizeof word);
  return (word >> (icmp_type % 32) & 1) == 0;
}

bool UdpSocket::wants_raw(const RawData& data) const {
  if (protocol() != data.protocol || (family() == AddressFamily::kInet4) != data.to.is_v4()) return false;
  if (!use_.ip.is_any() && !(use_.ip == data.to)) return false;
  if (connected_ && !(remote_ip_ == data.from)) return false;
  if (bound_device() != 0 && bound_device() != (data.to.is_loopback() ? kLoopbackIndex : kWireIndex)) return false;
  if (!data.is_icmp() || data.size < kIcmpHeader) return !is_ping();
  if (!is_ping()) return icmp_type_wanted(data.bytes[0]);
  const u8 reply = data.to.is_v4() ? u8{ICMP_ER} : u8{ICMP6_TYPE_EREP};
  return data.bytes[0] == reply && (data.bytes[4] << 8 | data.bytes[5]) == use_.port;
}

void UdpSocket::deliver_raw(const RawData& data) {
  ++g_next_identification;
  for (UdpSocket* s = next_raw(nullptr); s != nullptr; s = next_raw(s)) {
    if (!s->wants_raw(data)) continue;
    PacketPtr packet(data.make_packet(s->type() == SocketType::kRaw && data.to.is_v4()));
    if (packet && s->deliver(packet.get())) packet.release();
  }
  const u8 request = data.to.is_v4() ? u8{ICMP_ECHO} : u8{ICMP6_TYPE_EREQ};
  if (!data.is_icmp() || data.size < kIcmpHeader || data.bytes[0] != request) return;
  RawData answer = data;
  answer.from = data.to;
  answer.to = data.from;
  constexpr u8 kDefaultTtl = 64;
  answer.ttl = kDefaultTtl;
  answer.bytes[0] = data.to.is_v4() ? u8{ICMP_ER} : u8{ICMP6_TYPE_EREP};
  put_checksum(answer.bytes, answer.size, data.to.is_v4() ? 0 : pseudo_sum(answer.from, answer.to, answer.size));
  deliver_raw(answer);
}

bool UdpSocket::sent_raw(u8 inner_protocol, const IpAddress& from, const IpAddress& to, u16 id) const {
  if (protocol() != inner_protocol || (family() == AddressFamily::kInet4) != to.is_v4()) return false;
  if (!use_.ip.is_any() && !(use_.ip == from)) return false;
  if (connected_ && !(remote_ip_ == to)) return false;
  return !is_ping() || use_.port == id;
}

// A ping socket sends echo requests only, under its own identifier; ICMPv6's checksum is always the kernel's work.
Result<void> UdpSocket::complete_icmp(u8* bytes, usize size, const IpAddress& source, const IpAddress& to) {
  if (is_ping()) {
    const u8 request = to.is_v4() ? u8{ICMP_ECHO} : u8{ICMP6_TYPE_EREQ};
    if (size < kIcmpHeader || bytes[0] != request || bytes[1] != 0) return Errno::Invalid;
    bytes[4] = static_cast<u8>(use_.port >> 8);
    bytes[5] = static_cast<u8>(use_.port);
    if (to.is_v4()) put_checksum(bytes, size, 0);
  }
  if (protocol() != kProtoIcmp6) return {};
  if (size < 4) return Errno::Invalid;
  // Where no source is known yet lwIP makes the sum, over a zero.
  bytes[2] = bytes[3] = 0;
  if (!source.is_any()) put_checksum(bytes, size, pseudo_sum(source, to, size));
  return {};
}

Result<usize> UdpSocket::send_raw_local(Message& message, const Address& to, const IpAddress& source) {
  const usize size = message.data.remaining();
  PacketPtr buffer(Packet::create(max<usize>(size, 1)));
  if (!buffer || buffer->capacity < size) return Errno::NoBuffers;
  if (size > 0 && TRY(message.data.take(buffer->data, size)) < size) return Errno::Fault;
  RawData data{static_cast<u8>(protocol()), source, to.ip, ttl_of(message), tos_of(message), buffer->data, size};
  CoreGuard guard;
  if (header_included_) {
    const usize header = size == 0 ? 0 : (data.bytes[0] & 0xfu) * 4u;
    if (header < IP_HLEN || header > size) return Errno::Invalid;
    u32 ends[2];
    __builtin_memcpy(ends, data.bytes + 12, sizeof ends);
    data.protocol = data.bytes[9];
    data.ttl = data.bytes[8];
    data.tos = data.bytes[1];
    if (ends[0] != 0) data.from = IpAddress::v4_raw(ends[0]);
    data.to = IpAddress::v4_raw(ends[1]);
    data.bytes += header;
    data.size -= header;
    if (!is_own_address_locked(data.to)) return size;
  } else {
    TRY(complete_icmp(data.bytes, size, data.from, data.to));
  }
  deliver_raw(data);
  return size;
}

Result<void> UdpSocket::set_icmp_filter(Span<const u8> mask) {
  if (type() != SocketType::kRaw) return Errno::NoProtocolOption;
  CoreGuard guard;
  __builtin_memcpy(icmp_filter_, mask.data(), min(mask.size(), sizeof icmp_filter_));
  return {};
}

Result<Span<const u8>> UdpSocket::icmp_filter() {
  const bool six = family() == AddressFamily::kInet6;
  if (type() != SocketType::kRaw) return Errno::NoProtocolOption;
  if (protocol() != (six ? kProtoIcmp6 : kProtoIcmp)) return Errno::NotSupported;
  return Span<const u8>(icmp_filter_, six ? sizeof icmp_filter_ : sizeof(u32));
}

}  // namespace uni::net
