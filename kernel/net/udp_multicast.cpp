// SPDX-License-Identifier: Apache-2.0
// UDP to groups: which way a datagram goes, the copies for sockets of this machine, and what comes from the wire. A
// group's datagram goes to every socket that wants it, so none of this is lwIP's choice of one pcb.
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/udp_socket.hpp"
#include "kernel/net/wire.hpp"
#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/prot/udp.h"
#include "lwip/raw.h"

namespace uni::net {

namespace {

// The source address at an interface; "any" where it has none.
IpAddress interface_address(u32 interface, const IpAddress& to) {
  const bool wired = has_wire();
  if (to.is_v4()) {
    const u32 own = wired ? netif_ip4_addr(&wire_netif())->addr : 0;
    // The loopback's address is of no use to others: any other goes before it (inet_select_addr).
    if (own != 0) return IpAddress::v4_raw(own);
    return interface == kLoopbackIndex ? IpAddress::v4(127, 0, 0, 1) : kAnyV4;
  }
  if (interface == kLoopbackIndex) return IpAddress::v6_loopback();
  const ip_addr_t at = to_lwip(to, kWireIndex);
  const ip_addr_t* own = ip6_select_source_address(&wire_netif(), ip_2_ip6(&at));
  return own == nullptr ? kAnyV6 : from_lwip(*own);
}

u32 interface_of_address(const IpAddress& ip) {
  if (ip.is_any() || ip.is_multicast()) return 0;
  if (ip.is_loopback()) return kLoopbackIndex;
  return is_own_address_locked(ip) ? kWireIndex : 0;
}

Packet* copy_for(const Packet& original, const Address& from) {
  PacketPtr copy(Packet::create(max<usize>(original.size, 1)));
  if (!copy || copy->capacity < original.size) return nullptr;
  __builtin_memcpy(copy->data, original.data, original.size);
  copy->from = new (std::nothrow) Address(from);
  if (copy->from == nullptr) return nullptr;
  copy->size = original.size;
  copy->ttl = original.ttl;
  copy->tos = original.tos;
  copy->to = original.to;
  copy->interface = original.interface;
  return copy.release();
}

}  // namespace

Result<UdpSocket::GroupRoute> UdpSocket::route_group(const Message& message, const Address& to) const {
  const bool six = !to.ip.is_v4();
  u32 index = bound_device();
  if (index == 0 && to.ip.needs_scope()) index = to.scope;
  if (index == 0) index = message.packet_interface;
  if (index == 0) index = multicast_.chosen_index(six);
  IpAddress source = message.has_packet_info ? message.packet_to : local_ip_;
  if (source.is_multicast() || source.is_v4() == six) source = six ? kAnyV6 : kAnyV4;
  if (source.is_any() && !six) source = multicast_.chosen_address();
  if (index == 0 && !six) index = interface_of_address(source);
  if (index == 0) index = kWireIndex;
  if (index > kWireIndex) return Errno::NoDevice;
  // IPv6's loopback has no route for groups.
  if (index == kWireIndex ? !has_wire() : six) return Errno::NetworkUnreachable;
  if (source.is_any()) source = interface_address(index, to.ip);
  if (source.is_any()) return six ? Errno::AddressNotAvailable : Errno::NetworkUnreachable;
  return GroupRoute{index, source};
}

bool UdpSocket::wants(const IpAddress& to, u32 interface, const IpAddress& from, u16 from_port) const {
  if (!use_.accepts(to)) return false;
  if (connected_ && (!(remote_ip_ == from) || remote_port_ != from_port)) return false;
  if (bound_device() != 0 && bound_device() != interface) return false;
  return multicast_.accepts(to, interface, from);
}

void UdpSocket::deliver_copies(const Packet& packet, const IpAddress& from, u16 from_port, u16 to_port,
                               PortTable& table) {
  table.each(to_port, [&](PortUse& use) {
    // SAFETY: only UdpSockets are entered in the UDP tables.
    UdpSocket& receiver = *static_cast<UdpSocket*>(use.owner);
    if (!receiver.wants(packet.to, packet.interface, from, from_port)) return;
    Address sender = Address::inet(from, from_port, receiver.family());
    if (from.needs_scope()) sender.scope = packet.interface;
    PacketPtr copy(copy_for(packet, sender));
    if (copy && receiver.deliver(copy.get())) copy.release();
  });
}

Result<usize> UdpSocket::send_group(Message& message, const Address& to) {
  const bool six = !to.ip.is_v4();
  if (multicast_.chosen_index(six) != kLoopbackIndex && bound_device() != kLoopbackIndex) wait_for_address(to.ip);
  const usize size = message.data.remaining();
  PacketPtr packet(Packet::create(max<usize>(size, 1)));
  if (!packet || packet->capacity < size) return Errno::NoBuffers;
  if (size > 0 && TRY(message.data.take(packet->data, size)) < size) return Errno::Fault;
  packet->size = static_cast<u32>(size);
  packet->ttl = message.own_ttl < 0 ? multicast_.ttl(six) : ttl_of(message);
  packet->tos = tos_of(message);
  packet->to = to.ip;
  GroupRoute route{};
  {
    CoreGuard guard;
    if (!use_.bound()) TRY(claim_port(use_.ip, 0));
    route = TRY(route_group(message, to));
    packet->interface = route.interface;
    // What is sent to the loopback comes back in any case.
    const bool loops = route.interface == kLoopbackIndex || multicast_.loops(six);
    if (loops && interface_has_group(route.interface, to.ip)) {
      deliver_copies(*packet, route.source, use_.port, to.port, ports());
    }
  }
  if (route.interface == kLoopbackIndex || packet->ttl == 0) return size;
  IoCursor data = IoCursor::kernel(packet->data, size);
  Message outward(data);
  outward.flags = message.flags;
  outward.own_ttl = message.own_ttl;
  outward.own_tos = message.own_tos;
  outward.has_packet_info = true;
  outward.packet_to = route.source;
  Address there = to;
  there.scope = route.interface;
  return send_wire(outward, there);
}

// Sees UDP from the wire before lwIP does and takes what is sent to groups.
struct UdpSocket::GroupWatch {
  static u8 received(void*, raw_pcb*, pbuf* packet, const ip_addr_t* sender) {
    const IpAddress to = from_lwip(*ip_current_dest_addr());
    const u16 outer = ip_current_header_tot_len();
    udp_hdr header;
    if (!to.is_multicast() || packet->len < outer + sizeof header) return 0;
    pbuf_remove_header(packet, outer);
    __builtin_memcpy(&header, packet->payload, sizeof header);
    if (is_whole(packet, header)) {
      pbuf_realloc(packet, lwip_ntohs(header.len));
      pbuf_remove_header(packet, sizeof header);
      hand_out(packet, to, from_lwip(*sender), header);
    }
    pbuf_free(packet);
    return 1;
  }

  static bool is_whole(pbuf* packet, const udp_hdr& header) {
    const u16 length = lwip_ntohs(header.len);
    if (length < sizeof header || length > packet->tot_len) return false;
    if ((ip_current_input_netif()->chksum_flags & NETIF_CHECKSUM_CHECK_UDP) == 0) return true;
    if (header.chksum == 0 && ip_current_is_v6() == 0) return true;
    return ip_chksum_pseudo(packet, IP_PROTO_UDP, length, ip_current_src_addr(), ip_current_dest_addr()) == 0;
  }

  static void hand_out(pbuf* data, const IpAddress& to, const IpAddress& from, const udp_hdr& header) {
    const u16 from_port = lwip_ntohs(header.src);
    g_udp_ports.each(lwip_ntohs(header.dest), [&](PortUse& use) {
      // SAFETY: only UdpSockets are entered in the UDP tables.
      UdpSocket& receiver = *static_cast<UdpSocket*>(use.owner);
      if (!receiver.wants(to, kWireIndex, from, from_port)) return;
      pbuf_ref(data);
      receiver.deliver_wire(data, from, from_port);
    });
  }
};

void UdpSocket::watch_groups() {
  static bool watching = false;
  if (watching || !has_wire()) return;
  watching = true;
  raw_pcb* v4 = raw_new_ip_type(IPADDR_TYPE_V4, IP_PROTO_UDP);
  raw_pcb* v6 = raw_new_ip_type(IPADDR_TYPE_V6, IP_PROTO_UDP);
  if (v4 != nullptr) raw_recv(v4, GroupWatch::received, nullptr);
  if (v6 != nullptr) raw_recv(v6, GroupWatch::received, nullptr);
}

Result<void> UdpSocket::change_group(GroupAction action, const GroupRequest& request) {
  if (request.index == 0 && request.group.is_v4() && !request.interface.is_loopback()) wait_for_address(request.group);
  CoreGuard guard;
  watch_groups();
  return multicast_.change(action, request);
}

Result<void> UdpSocket::set_group_filter(const GroupRequest& request, GroupFilter&& filter) {
  CoreGuard guard;
  return multicast_.set_filter(request, uni::move(filter));
}

Result<GroupFilter> UdpSocket::group_filter(const GroupRequest& request) {
  CoreGuard guard;
  return multicast_.filter(request);
}

Result<void> UdpSocket::set_multicast_interface(const GroupRequest& request) {
  if (request.index == 0 && !request.interface.is_loopback() && !request.interface.is_any()) {
    wait_for_address(request.interface);
  }
  CoreGuard guard;
  return multicast_.choose_interface(request, bound_device());
}

}  // namespace uni::net
