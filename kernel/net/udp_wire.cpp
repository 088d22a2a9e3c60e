// SPDX-License-Identifier: Apache-2.0
// UDP and raw packets over lwIP: pcbs, reception of pbufs, sending, groups, and ICMP's "port unreachable".
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/udp_socket.hpp"
#include "lwip/icmp.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "lwip/raw.h"
#include "lwip/udp.h"

namespace uni::net {

namespace {

constexpr u8 kProtoIcmp6 = 58;

Errno errno_of(err_t e) {
  switch (e) {
    case ERR_MEM:
    case ERR_BUF:
      return Errno::NoBuffers;
    case ERR_RTE:
      return Errno::NetworkUnreachable;
    case ERR_VAL:
      return Errno::MessageSize;
    default:
      return Errno::Invalid;
  }
}

// A copy of bytes [at, at+size) of a pbuf; false where it is shorter.
bool peek(const pbuf* p, void* to, u16 size, u16 at) {
  return pbuf_copy_partial(p, to, size, at) == size;
}

}  // namespace

struct UdpSocket::WireEvents {
  static void received(void* arg, udp_pcb*, pbuf* data, const ip_addr_t* from, u16_t port) {
    static_cast<UdpSocket*>(arg)->deliver_wire(data, from_lwip(*from), port);
  }
  // A raw socket sees a copy of each packet; IPv4's with the header (raw(7)).
  static u8 raw_received(void* arg, raw_pcb*, pbuf* data, const ip_addr_t* from) {
    UdpSocket& s = *static_cast<UdpSocket*>(arg);
    pbuf* copy = pbuf_clone(PBUF_RAW, PBUF_RAM, data);
    if (copy == nullptr) return 0;
    const bool header_shown = s.type() == SocketType::kRaw && ip_current_is_v6() == 0;
    const u16 header = ip_current_header_tot_len();
    const bool icmp = s.protocol() == IP_PROTO_ICMP || s.protocol() == kProtoIcmp6;
    if (icmp && copy->tot_len > header && !s.icmp_type_wanted(pbuf_get_at(copy, header))) {
      pbuf_free(copy);
      return 0;
    }
    if (!header_shown) pbuf_remove_header(copy, ip_current_header_tot_len());
    if (s.type() == SocketType::kDatagram && !is_echo_reply(copy, s.use_.port)) {
      pbuf_free(copy);
      return 0;
    }
    s.deliver_wire(copy, from_lwip(*from), 0);
    return 0;
  }
  // "Ping" sockets get the answers to their own identifier (icmp(7)).
  static bool is_echo_reply(const pbuf* p, u16 identifier) {
    u8 icmp[6];
    if (!peek(p, icmp, sizeof icmp, 0)) return false;
    const u16 id = static_cast<u16>(icmp[4] << 8 | icmp[5]);
    return (icmp[0] == ICMP_ER || icmp[0] == ICMP6_TYPE_EREP) && id == identifier;
  }
};

UdpSocket::~UdpSocket() {
  PacketList unread;
  {
    CoreGuard guard;
    if (is_udp() || is_ping()) ports().remove(use_);
    if (!is_udp() && raw_node_.linked()) raw_node_.unlink();
    if (udp_ != nullptr) udp_remove(udp_);
    if (raw_ != nullptr) raw_remove(raw_);
    multicast_.leave_all();
    while (Packet* p = errors_.pop_front())
      unread.push_back(*p);
    while (Packet* p = queue_in_.pop_front())
      unread.push_back(*p);
  }
  destroy_all(unread);
}

Result<void> UdpSocket::make_wire() {
  if (is_udp()) {
    if (!has_wire() || is_lite() || udp_ != nullptr || use_.ip.is_loopback()) return {};
    start_watching();
    ip_addr_t at = to_lwip(use_.ip);
    if (use_.ip.is_any() && use_.dual_stack) at.type = IPADDR_TYPE_ANY;
    udp_ = udp_new_ip_type(at.type);
    if (udp_ == nullptr) return Errno::NoBuffers;
    ip_set_option(udp_, SOF_REUSEADDR);
    ip_set_option(udp_, SOF_BROADCAST);
    udp_recv(udp_, WireEvents::received, this);
    const err_t e = udp_bind(udp_, &at, use_.port);
    return e == ERR_OK ? Result<void>() : Result<void>(Errno::AddressInUse);
  }
  if (raw_ != nullptr) return {};
  start_watching();
  const u8 version = family() == AddressFamily::kInet6 ? u8{IPADDR_TYPE_V6} : u8{IPADDR_TYPE_V4};
  raw_ = raw_new_ip_type(version, static_cast<u8>(protocol()));
  if (raw_ == nullptr) return Errno::NoBuffers;
  ip_set_option(raw_, SOF_BROADCAST);
  raw_recv(raw_, WireEvents::raw_received, this);
  if (protocol() == kProtoIcmp6) {
    raw_->chksum_reqd = 1;
    raw_->chksum_offset = 2;
  }
  enter_raw();
  return {};
}

void UdpSocket::deliver_wire(pbuf* data, const IpAddress& from, u16 from_port) {
  Packet* packet = Packet::create(0);
  Address* sender = packet == nullptr ? nullptr : new (std::nothrow) Address(Address::inet(from, from_port, family()));
  const bool wanted = !connected_ || (remote_ip_ == from && (remote_port_ == from_port || !is_udp()));
  if (sender == nullptr || !wanted) {
    delete sender;
    if (packet != nullptr) Packet::destroy(packet);
    pbuf_free(data);
    return;
  }
  packet->wire = data;
  packet->size = data->tot_len;
  packet->charge = static_cast<u32>(kPageSize);
  if (from.is_link_local()) sender->scope = kWireIndex;
  packet->from = sender;
  packet->to = from_lwip(*ip_current_dest_addr());
  packet->interface = ip_current_input_netif() == netif_default ? kWireIndex : kLoopbackIndex;
  packet->ttl = ip_current_is_v6() != 0 ? IP6H_HOPLIM(ip6_current_header()) : IPH_TTL(ip4_current_header());
  packet->tos =
      ip_current_is_v6() != 0 ? static_cast<u8>(IP6H_TC(ip6_current_header())) : IPH_TOS(ip4_current_header());
  if (deliver(packet)) return;
  // The core lock is held: the buffer goes back here, not in destroy().
  packet->wire = nullptr;
  pbuf_free(data);
  Packet::destroy(packet);
}

// A filter sees UDP's header, as on Linux, and may cut what is behind it.
bool UdpSocket::filtered(Packet& packet) {
  struct Source final : PacketSource {
    Source(Span<const u8> header, const Packet& from) : PacketSource(header, from.data, from.size), packet(from) {}
    u8 byte_at(u32 offset) override {
      if (packet.wire == nullptr) return PacketSource::byte_at(offset);
      return pbuf_get_at(static_cast<const pbuf*>(packet.wire), static_cast<u16>(offset));
    }
    const Packet& packet;
  };
  constexpr u32 kUdpHeader = 8;
  const u32 total = packet.size + kUdpHeader;
  const u16 from = packet.from != nullptr ? packet.from->port : u16{0};
  const u8 header[kUdpHeader] = {static_cast<u8>(from >> 8),      static_cast<u8>(from),
                                 static_cast<u8>(use_.port >> 8), static_cast<u8>(use_.port),
                                 static_cast<u8>(total >> 8),     static_cast<u8>(total)};
  const u32 shown = is_udp() ? kUdpHeader : 0;
  Source source(Span<const u8>(header, shown), packet);
  const u32 keep = filter().run(source);
  if (keep == 0) return false;
  packet.size = min(packet.size, keep > shown ? keep - shown : 0);
  return true;
}

Result<usize> UdpSocket::send_wire(Message& message, const Address& to) {
  const usize size = message.data.remaining();
  struct Buffer {
    pbuf* p;
    ~Buffer() {
      if (p != nullptr) pbuf_free(p);
    }
  } buffer{pbuf_alloc(is_udp() ? PBUF_TRANSPORT : PBUF_IP, static_cast<u16>(size), PBUF_RAM)};
  if (buffer.p == nullptr) return Errno::NoBuffers;
  if (size > 0 && TRY(message.data.take(buffer.p->payload, size)) < size) return Errno::Fault;
  CoreGuard guard;
  // Freed under the lock: the device may still hold it.
  Buffer held{exchange(buffer.p, nullptr)};
  if (!has_wire() && is_udp()) return Errno::NetworkUnreachable;
  const ip_addr_t at = to_lwip(to.ip, to.scope != 0 ? to.scope : kWireIndex);
  const bool multicast = to.ip.is_multicast();
  keep_ticking();
  err_t e = ERR_RTE;
  if (is_udp()) {
    if (udp_ == nullptr) return Errno::NetworkUnreachable;
    udp_->ttl = ttl_of(message);
    udp_->tos = tos_of(message);
    udp_->mcast_ttl = message.own_ttl < 0 ? multicast_.ttl(!to.ip.is_v4()) : ttl_of(message);
    udp_clear_flags(udp_, UDP_FLAGS_MULTICAST_LOOP);  // send_group has made the copies for this machine
    if (message.has_packet_info && !message.packet_to.is_any()) {
      const ip_addr_t source = to_lwip(message.packet_to);
      netif* via = ip_route(&source, &at);
      e = via == nullptr ? err_t{ERR_RTE} : udp_sendto_if_src(udp_, held.p, &at, to.port, via, &source);
    } else {
      e = udp_sendto(udp_, held.p, &at, to.port);
    }
  } else {
    if (raw_ == nullptr) return Errno::NetworkUnreachable;
    u8* bytes = static_cast<u8*>(held.p->payload);
    if (!header_included_) TRY(complete_icmp(bytes, size, kAnyV6, to.ip));
    raw_->ttl = multicast && message.own_ttl < 0 ? multicast_.ttl(!to.ip.is_v4()) : ttl_of(message);
    raw_->tos = tos_of(message);
    raw_set_flags(raw_, header_included_ ? RAW_FLAGS_HDRINCL : 0);
    e = raw_sendto(raw_, held.p, &at);
  }
  return e == ERR_OK ? Result<usize>(size) : Result<usize>(errno_of(e));
}

Result<usize> UdpSocket::receive(Message& message) {
  if ((message.flags & kMsgErrQueue) != 0) return receive_error(message);
  const bool keep = (message.flags & kMsgPeek) != 0;
  bool polled = false;
  for (;;) {
    if (has_error()) {
      const Errno e = take_error();
      if (e != Errno{}) return e;
    }
    {
      LockGuard reading(reader_);
      Packet* packet = nullptr;
      PacketPtr taken;
      {
        CoreGuard guard;
        packet = queue_in_.front();
        if (packet != nullptr && !keep) {
          queue_in_.remove(*packet);
          charge_ -= packet->charge;
        }
      }
      if (packet != nullptr) {
        if (!keep) taken = PacketPtr(packet);
        const usize part = min<usize>(packet->size, message.data.remaining());
        usize left = part;
        if (packet->wire == nullptr) {
          if (part > 0 && TRY(message.data.put(packet->data, part)) < part) return Errno::Fault;
        }
        for (const pbuf* p = static_cast<pbuf*>(packet->wire); p != nullptr && left > 0; p = p->next) {
          const usize piece = min<usize>(left, p->len);
          if (piece > 0 && TRY(message.data.put(p->payload, piece)) < piece) return Errno::Fault;
          left -= piece;
        }
        if (part < packet->size) message.out_flags |= kMsgTrunc;
        if (message.from != nullptr && packet->from != nullptr) *message.from = *packet->from;
        message.has_packet_info = true;
        message.packet_to = packet->to;
        message.packet_interface = packet->interface;
        message.ttl = packet->ttl;
        message.tos = packet->tos;
        message.time_ns = packet->time_ns;
        return (message.flags & kMsgTrunc) != 0 ? usize{packet->size} : part;
      }
    }
    if (read_shut_) return usize{0};
    if (!polled) {
      polled = true;
      poll_wire();
      continue;
    }
    TRY(wait_until(message.flags, receive_timeout_, [&] {
      CoreGuard guard;
      return !queue_in_.empty() || read_shut_ || has_error();
    }));
  }
}

}  // namespace uni::net
