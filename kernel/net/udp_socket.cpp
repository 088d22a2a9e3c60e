// SPDX-License-Identifier: Apache-2.0
// UDP: names, the queue, and datagrams within the machine. The wire's side is in udp_wire.cpp.
#include "kernel/net/udp_socket.hpp"

#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm;
constexpr usize kLargest = 65507;  // 65535 less IPv4's and UDP's headers

}  // namespace

UdpSocket::UdpSocket(AddressFamily family, SocketType type, int protocol, u32 open_flags)
    : Socket(family, type, protocol, open_flags) {
  use_.owner = this;
  constexpr int kProtoRaw = 255;
  header_included_ = type == SocketType::kRaw && protocol == kProtoRaw && family == AddressFamily::kInet4;
  use_.ip = local_ip_ = remote_ip_ = family == AddressFamily::kInet6 ? kAnyV6 : kAnyV4;
}

Result<RefPtr<UdpSocket>> UdpSocket::create(AddressFamily family, SocketType type, int protocol, u32 open_flags) {
  TRY(init());
  RefPtr<UdpSocket> socket = TRY(make_ref<UdpSocket>(family, type, protocol, open_flags));
  if (!socket->is_udp()) {
    CoreGuard guard;
    TRY(socket->make_wire());
  }
  return socket;
}

Result<Address> UdpSocket::resolve(const Address& address) const {
  const bool six = family() == AddressFamily::kInet6;
  if (address.family == AddressFamily::kInet4 && six && !v6_only_) return address;
  if (address.family != (six ? AddressFamily::kInet6 : AddressFamily::kInet4)) {
    return Errno::AddressFamilyNotSupported;
  }
  if (six && v6_only_ && address.ip.is_v4()) return Errno::NetworkUnreachable;
  return address;
}

Result<void> UdpSocket::claim_port(const IpAddress& ip, u16 port) {
  use_.ip = ip;
  use_.port = port;
  use_.uid = Process::current().credentials.euid;
  use_.dual_stack = family() == AddressFamily::kInet6 && !v6_only_;
  use_.reuse_address = reuse_address_;
  use_.reuse_port = reuse_port_;
  if (!ports().add(use_)) {
    use_.port = 0;
    return Errno::AddressInUse;
  }
  local_ip_ = ip;
  return make_wire();
}

Result<void> UdpSocket::bind(const Address& address) {
  Address at = address;
  if (address.family == AddressFamily::kNone && address.ip.is_any() && family() == AddressFamily::kInet4) {
    at.family = AddressFamily::kInet4;
  }
  if (family() == AddressFamily::kInet6 && at.family != AddressFamily::kInet6) return Errno::AddressFamilyNotSupported;
  at = TRY(resolve(at));
  if (!at.ip.is_any() && !at.ip.is_multicast() && !is_own_address(at.ip)) {
    wait_for_address(at.ip);
    CoreGuard guard;
    if (!is_own_address_locked(at.ip) && !is_wire_broadcast_locked(at.ip) && !free_bind_) {
      return Errno::AddressNotAvailable;
    }
  }
  constexpr u16 kFirstUnprivileged = 1024;
  constexpr unsigned kCapNetBindService = 10;
  if (is_udp() && at.port != 0 && at.port < kFirstUnprivileged &&
      !Process::current().credentials.capable(kCapNetBindService)) {
    return Errno::Access;
  }
  CoreGuard guard;
  if (use_.bound()) return Errno::Invalid;
  if (is_udp() || is_ping()) return claim_port(at.ip, at.port);
  local_ip_ = use_.ip = at.ip;
  return {};
}

Result<void> UdpSocket::connect(const Address& address, Waiting) {
  if (address.family == AddressFamily::kNone) {
    CoreGuard guard;
    connected_ = false;
    use_.connected = false;
    remote_port_ = 0;
    remote_ip_ = family() == AddressFamily::kInet6 ? kAnyV6 : kAnyV4;
    local_ip_ = use_.ip;
    return {};
  }
  Address to = TRY(resolve(address));
  if (to.ip.is_any()) to.ip = to.ip.is_v4() ? IpAddress::v4(127, 0, 0, 1) : IpAddress::v6_loopback();
  if (!is_own_address(to.ip)) wait_for_address(to.ip, Router::kAsIs);
  CoreGuard guard;
  if (is_wire_broadcast_locked(to.ip) && !broadcast_) return Errno::Access;
  IpAddress source{};
  if (to.ip.is_multicast()) {
    u8 none = 0;
    IoCursor nothing = IoCursor::kernel(&none, 0);
    source = TRY(route_group(Message(nothing), to))
    .source;
  } else if (!source_address_locked(to.ip, &source)) {
    return Errno::NetworkUnreachable;
  }
  if ((is_udp() || is_ping()) && !use_.bound()) TRY(claim_port(use_.ip, 0));
  if (local_ip_.is_any()) local_ip_ = source;
  remote_ip_ = to.ip;
  remote_port_ = to.port;
  remote_scope_ = to.scope;
  connected_ = true;
  use_.connected = true;
  use_.remote = to.ip;
  use_.remote_port = to.port;
  return {};
}

Result<Address> UdpSocket::local_address() {
  CoreGuard guard;
  // A raw socket shows its protocol for a port.
  const u16 port = type() == SocketType::kRaw ? static_cast<u16>(protocol()) : use_.port;
  return Address::inet(local_ip_, port, family());
}

Result<Address> UdpSocket::peer_address() {
  CoreGuard guard;
  if (!connected_) return Errno::NotConnected;
  return Address::inet(remote_ip_, remote_port_, family());
}

Result<void> UdpSocket::shutdown(ShutdownHow how) {
  CoreGuard guard;
  if (!connected_) return Errno::NotConnected;
  if (how != ShutdownHow::kWrite) read_shut_ = true;
  if (how != ShutdownHow::kRead) write_shut_ = true;
  queue_.wake_all();
  return {};
}

bool UdpSocket::deliver(Packet* packet) {
  if (read_shut_ || charge_ + packet->charge > receive_buffer_) return false;
  if (!filter().empty() && !filtered(*packet)) return false;
  packet->time_ns = stamp();
  charge_ += packet->charge;
  queue_in_.push_back(*packet);
  wake(kReadBits);
  return true;
}

void UdpSocket::failed(Errno number, Severity severity, PacketPtr& report) {
  if (!receive_error_ && (severity == Severity::kPassing || !connected_)) return;
  if (receive_error_ && report && charge_ + report->charge <= receive_buffer_) {
    charge_ += report->charge;
    errors_.push_back(*report.release());
  }
  set_error(number);
  wake(~0u);
}

// Hands a datagram to the socket of this machine that it is for. False where there is none.
bool UdpSocket::deliver_local(const Address& to, PacketPtr& packet, const IpAddress& source) {
  packet->to = to.ip;
  packet->interface = to.ip.is_loopback() ? kLoopbackIndex : kWireIndex;
  const u32 spread = use_.port * 31u + to.port;
  PortUse* found = ports().find(to.ip, to.port, &source, use_.port, spread);
  if (found == nullptr) return false;
  // SAFETY: only UdpSockets are entered in the UDP tables.
  UdpSocket& receiver = *static_cast<UdpSocket*>(found->owner);
  if (packet->from != nullptr) packet->from->family = receiver.family();
  // Where its buffer is full the datagram is lost, as on any network.
  if (receiver.deliver(packet.get())) packet.release();
  return true;
}

Result<usize> UdpSocket::send_local(Message& message, const Address& to, const IpAddress& source) {
  const usize size = message.data.remaining();
  PacketPtr packet(Packet::create(max<usize>(size, 1)));
  if (!packet || packet->capacity < size) return Errno::NoBuffers;
  if (size > 0 && TRY(message.data.take(packet->data, size)) < size) return Errno::Fault;
  packet->size = static_cast<u32>(size);
  packet->ttl = ttl_of(message);
  packet->tos = tos_of(message);
  packet->from = new (std::nothrow) Address(Address::inet(source, 0, family()));
  if (packet->from == nullptr) return Errno::NoBuffers;
  CoreGuard guard;
  packet->from->port = use_.port;
  if (deliver_local(to, packet, source)) return size;
  // As ICMP's "port unreachable" would say it, with no more of the datagram than that quotes.
  constexpr u8 kOriginIcmp = 2, kOriginIcmp6 = 3, kUnreachable4 = 3, kUnreachable6 = 1, kPort4 = 3, kPort6 = 4;
  constexpr u32 kQuoted4 = 520, kQuoted6 = 1184;
  const bool six = !to.ip.is_v4();
  auto error = make_own<QueuedError>();
  if (receive_error_ && error.ok()) {
    *error.value() = {Errno::ConnectionRefused,
                      six ? kOriginIcmp6 : kOriginIcmp,
                      six ? kUnreachable6 : kUnreachable4,
                      six ? kPort6 : kPort4,
                      0,
                      0,
                      Address::inet(to.ip, 0, family())};
    *packet->from = Address::inet(to.ip, to.port, family());
    packet->size = min(packet->size, six ? kQuoted6 : kQuoted4);
    packet->error = error.take();
  }
  failed(Errno::ConnectionRefused, Severity::kFatal, packet);
  return size;
}

// UDP_SEGMENT: one call, many datagrams.
Result<usize> UdpSocket::send_segments(Message& message, usize segment) {
  Vector<u8> buffer;
  TRY(buffer.resize(segment));
  usize sent = 0;
  while (message.data.remaining() != 0) {
    const usize size = TRY(message.data.take(buffer.data(), segment));
    IoCursor cursor = IoCursor::kernel(buffer.data(), size);
    Message part(cursor);
    part.flags = message.flags;
    part.to = message.to;
    part.has_packet_info = message.has_packet_info;
    part.packet_to = message.packet_to;
    part.own_ttl = message.own_ttl;
    part.own_tos = message.own_tos;
    part.own_segment = 0;
    const Result<usize> done = send_data(part);
    if (!done.ok()) return sent != 0 ? Result<usize>(sent) : Result<usize>(done.error());
    sent += size;
  }
  return sent;
}

Result<usize> UdpSocket::send(Message& message) {
  return with_report(message, send_data(message));
}

Result<usize> UdpSocket::send_data(Message& message) {
  if ((message.flags & kMsgOob) != 0) return Errno::NotSupported;
  const bool more = (message.flags & kMsgMore) != 0;
  if (is_udp() && (more || corked_.load(std::memory_order_acquire))) return send_corked(message);
  const usize segment = message.own_segment >= 0 ? static_cast<usize>(message.own_segment) : usize{segment_size_};
  if (segment != 0 && message.data.remaining() > segment) return send_segments(message, segment);
  if (message.data.remaining() > 0xffff) return Errno::MessageSize;
  Address to;
  if (message.to != nullptr) {
    to = TRY(resolve(*message.to));
    if (is_udp() && to.port == 0) return Errno::Invalid;
    if (to.ip.is_any()) to.ip = to.ip.is_v4() ? IpAddress::v4(127, 0, 0, 1) : IpAddress::v6_loopback();
  }
  if (has_error()) {
    const Errno e = take_error();
    if (e != Errno{}) return e;
  }
  if (write_shut_) return Errno::Pipe;
  if (message.to == nullptr) {
    CoreGuard guard;
    if (!connected_) return Errno::DestinationRequired;
    to = Address::inet(remote_ip_, remote_port_, family());
    to.scope = remote_scope_;
  }
  if (is_udp() && message.data.remaining() > kLargest) return Errno::MessageSize;
  if (to.ip.is_multicast() && is_udp()) return send_group(message, to);
  const bool own = is_own_address(to.ip);
  if (!own && !to.ip.is_loopback()) wait_for_address(to.ip);
  IpAddress source{};
  {
    CoreGuard guard;
    if (is_wire_broadcast_locked(to.ip) && !broadcast_) return Errno::Access;
    if ((is_udp() || is_ping()) && !use_.bound()) TRY(claim_port(use_.ip, 0));
    source = local_ip_;
    if (message.has_packet_info) source = message.packet_to;
    if (source.is_any() && own) source = to.ip;
  }
  if (own) return is_udp() ? send_local(message, to, source) : send_raw_local(message, to, source);
  return send_wire(message, to);
}

u32 UdpSocket::poll() {
  CoreGuard guard;
  u32 bits = kWriteBits;
  if (has_error() || !errors_.empty() || zero_copy_.waiting()) bits |= fs::kPollErr;
  if (!queue_in_.empty() || read_shut_) bits |= kReadBits;
  if (read_shut_) bits |= fs::kPollRdHup;
  if (read_shut_ && write_shut_) bits |= fs::kPollHup;
  return bits;
}

usize UdpSocket::readable_bytes() {
  CoreGuard guard;
  return queue_in_.empty() ? 0 : queue_in_.front()->size;
}

Result<void> UdpSocket::set_option(Option option, i64 value) {
  const bool on = value != 0;
  if (option == Option::kUdpCork) return set_cork(on);
  CoreGuard guard;
  switch (option) {
    case Option::kPacketInfo:
      packet_info_ = on;
      return {};
    case Option::kV6PacketInfo:
      v6_packet_info_ = on;
      return {};
    case Option::kReceiveTtl:
      receive_ttl_ = on;
      return {};
    case Option::kReceiveTos:
      receive_tos_ = on;
      return {};
    case Option::kV6ReceiveHops:
      v6_receive_hops_ = on;
      return {};
    case Option::kV6ReceiveTrafficClass:
      v6_receive_class_ = on;
      return {};
    case Option::kTtl:
    case Option::kV6Hops:
      if (value != -1 && (value < 1 || value > 255)) return Errno::Invalid;
      ttl_ = value == -1 ? u8{64} : static_cast<u8>(value);
      return {};
    case Option::kTos:
    case Option::kV6TrafficClass:
      tos_ = static_cast<u8>(value);
      return {};
    case Option::kMulticastTtl:
    case Option::kV6MulticastHops:
    case Option::kMulticastLoop:
    case Option::kV6MulticastLoop:
    case Option::kMulticastAll:
    case Option::kV6MulticastAll:
    case Option::kV6MulticastInterface:
      return multicast_.set_option(option, value, bound_device());
    case Option::kReceiveError:
      receive_error_ = on;
      return {};
    case Option::kV6Only:
      if (use_.bound()) return Errno::Invalid;
      v6_only_ = on;
      return {};
    case Option::kHeaderIncluded:
      if (type() != SocketType::kRaw) return Errno::NoProtocolOption;
      header_included_ = on;
      return {};
    case Option::kFreeBind:
    case Option::kTransparent:
      free_bind_ = on;
      return {};
    case Option::kSendLowWater:
      return Errno::NoProtocolOption;
    case Option::kUdpSegment:
      TRY(Socket::set_option(option, value));
      segment_size_ = static_cast<u32>(value);
      return {};
    default:
      return Socket::set_option(option, value);
  }
}

Result<i64> UdpSocket::get_option(Option option) {
  switch (option) {
    case Option::kPacketInfo:
      return packet_info_;
    case Option::kV6PacketInfo:
      return v6_packet_info_;
    case Option::kReceiveTtl:
      return receive_ttl_;
    case Option::kReceiveTos:
      return receive_tos_;
    case Option::kV6ReceiveHops:
      return v6_receive_hops_;
    case Option::kV6ReceiveTrafficClass:
      return v6_receive_class_;
    case Option::kTtl:
    case Option::kV6Hops:
      return ttl_;
    case Option::kTos:
    case Option::kV6TrafficClass:
      return tos_;
    case Option::kMulticastTtl:
    case Option::kV6MulticastHops:
    case Option::kMulticastLoop:
    case Option::kV6MulticastLoop:
    case Option::kMulticastAll:
    case Option::kV6MulticastAll:
    case Option::kV6MulticastInterface:
      return multicast_.get_option(option);
    case Option::kReceiveError:
      return receive_error_;
    case Option::kUdpCork:
      return cork_option_;
    case Option::kV6Only:
      return v6_only_;
    case Option::kHeaderIncluded:
      return header_included_;
    case Option::kFreeBind:
    case Option::kTransparent:
      return free_bind_;
    case Option::kMtu: {
      if (!connected_) return Errno::NotConnected;
      Interface i;
      const bool local = is_own_address(remote_ip_);
      return interface_at(local ? 0 : 1, &i) ? i64{i.mtu} : i64{65536};
    }
    default:
      return Socket::get_option(option);
  }
}

}  // namespace uni::net
