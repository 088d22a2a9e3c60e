// SPDX-License-Identifier: Apache-2.0
// The error queue (ip(7), IP_RECVERR; MSG_ERRQUEUE), and ICMP's errors from the wire, which name a packet of ours.
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/udp_socket.hpp"
#include "lwip/icmp.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/raw.h"

namespace uni::net {

namespace {

constexpr u8 kProtoIcmp = 1, kProtoIcmp6 = 58;

struct Meaning {
  Errno number;
  bool fatal;
};

// What a code of "destination unreachable" means to a program (net/ipv4/icmp.c, icmp_err_convert).
constexpr Meaning kUnreachable4[] = {
    {Errno::NetworkUnreachable, false}, {Errno::HostUnreachable, false}, {Errno::NoProtocolOption, true},
    {Errno::ConnectionRefused, true},   {Errno::MessageSize, true},      {Errno::NotSupported, false},
    {Errno::NetworkUnreachable, true},  {Errno::HostDown, true},         {Errno::HostUnreachable, true},
    {Errno::NetworkUnreachable, true},  {Errno::HostUnreachable, true},  {Errno::NetworkUnreachable, false},
    {Errno::HostUnreachable, false},    {Errno::HostUnreachable, true},  {Errno::HostUnreachable, true},
    {Errno::HostUnreachable, true},
};
// ICMPv6's (net/ipv6/icmp.c, tab_unreach).
constexpr Meaning kUnreachable6[] = {
    {Errno::NetworkUnreachable, false},
    {Errno::Access, true},
    {Errno::HostUnreachable, false},
    {Errno::HostUnreachable, false},
    {Errno::ConnectionRefused, true},
    {Errno::Access, true},
    {Errno::Access, true},
};

// False for what is not an error.
bool meaning_of(bool six, u8 type, u8 code, Meaning* out) {
  constexpr u8 kUnreachable = 3, kTimeExceeded = 11, kParameter = 12;
  constexpr u8 kUnreachableSix = 1, kTooBigSix = 2, kTimeExceededSix = 3, kParameterSix = 4;
  if (type == (six ? kTimeExceededSix : kTimeExceeded)) {
    *out = {Errno::HostUnreachable, false};
  } else if (type == (six ? kParameterSix : kParameter)) {
    *out = {Errno::Protocol, true};
  } else if (six && type == kTooBigSix) {
    *out = {Errno::MessageSize, true};
  } else if (type == (six ? kUnreachableSix : kUnreachable)) {
    const usize known = six ? sizeof kUnreachable6 / sizeof(Meaning) : sizeof kUnreachable4 / sizeof(Meaning);
    *out = code >= known ? Meaning{Errno::HostUnreachable, true} : six ? kUnreachable6[code] : kUnreachable4[code];
  } else {
    return false;
  }
  return true;
}

// The packet that an ICMP error quotes.
struct Quoted {
  u8 protocol = 0;
  IpAddress from, to;
  u16 data = 0;       // where its transport header is
  u16 words[4] = {};  // that header's first, as they lie
};

bool peek(const pbuf* p, void* to, u16 size, u16 at) {
  return pbuf_copy_partial(p, to, size, at) == size;
}

bool read_quoted(const pbuf* packet, u16 at, bool six, Quoted* out) {
  if (six) {
    u8 header[IP6_HLEN];
    if (!peek(packet, header, sizeof header, at)) return false;
    out->protocol = header[6];
    __builtin_memcpy(out->from.bytes, header + 8, 16);
    __builtin_memcpy(out->to.bytes, header + 24, 16);
    out->data = static_cast<u16>(at + IP6_HLEN);
  } else {
    u8 header[IP_HLEN];
    if (!peek(packet, header, sizeof header, at)) return false;
    u32 ends[2];
    __builtin_memcpy(ends, header + 12, sizeof ends);
    out->protocol = header[9];
    out->from = IpAddress::v4_raw(ends[0]);
    out->to = IpAddress::v4_raw(ends[1]);
    out->data = static_cast<u16>(at + (header[0] & 0xf) * 4);
  }
  return peek(packet, out->words, sizeof out->words, out->data);
}

}  // namespace

struct UdpSocket::IcmpWatch {
  // Sees every ICMP message before lwIP does.
  static u8 received(void*, raw_pcb*, pbuf* packet, const ip_addr_t* sender) {
    const bool six = ip_current_is_v6() != 0;
    const u16 outer = ip_current_header_tot_len();
    constexpr u16 kIcmpHeader = 8;
    u8 icmp[kIcmpHeader];
    Meaning meaning{};
    Quoted quoted;
    if (!peek(packet, icmp, sizeof icmp, outer) || !meaning_of(six, icmp[0], icmp[1], &meaning)) return 0;
    if (!read_quoted(packet, static_cast<u16>(outer + kIcmpHeader), six, &quoted)) return 0;
    constexpr u8 kOriginIcmp = 2, kOriginIcmp6 = 3, kTooBig = 2, kFragment = 4;
    QueuedError error;
    error.number = meaning.number;
    error.origin = six ? kOriginIcmp6 : kOriginIcmp;
    error.type = icmp[0];
    error.code = icmp[1];
    const u32 low = static_cast<u32>(icmp[6] << 8 | icmp[7]);
    if (six && icmp[0] == kTooBig) error.info = static_cast<u32>(icmp[4] << 24 | icmp[5] << 16) | low;
    if (!six && meaning.number == Errno::MessageSize && icmp[1] == kFragment) error.info = low;
    error.offender = Address::inet(from_lwip(*sender), 0, six ? AddressFamily::kInet6 : AddressFamily::kInet4);
    const Severity severity = meaning.fatal ? Severity::kFatal : Severity::kPassing;
    if (quoted.protocol == IP_PROTO_UDP)
      tell_udp(packet, quoted, error, severity);
    else
      tell_raw(packet, quoted, error, severity);
    return 0;
  }

  static void tell_udp(const pbuf* packet, const Quoted& quoted, const QueuedError& error, Severity severity) {
    constexpr u16 kUdpHeader = 8;
    const u16 to_port = __builtin_bswap16(quoted.words[1]);
    PortUse* found = g_udp_ports.find(quoted.from, __builtin_bswap16(quoted.words[0]), &quoted.to, to_port, 0);
    if (found == nullptr) return;
    // SAFETY: only UdpSockets are entered in the UDP tables.
    UdpSocket& socket = *static_cast<UdpSocket*>(found->owner);
    PacketPtr report(make_report(socket, packet, static_cast<u16>(quoted.data + kUdpHeader), quoted, to_port, error));
    socket.failed(error.number, severity, report);
  }

  static void tell_raw(const pbuf* packet, const Quoted& quoted, const QueuedError& error, Severity severity) {
    const u16 id = __builtin_bswap16(quoted.words[2]);
    for (UdpSocket* s = next_raw(nullptr); s != nullptr; s = next_raw(s)) {
      if (!s->sent_raw(quoted.protocol, quoted.from, quoted.to, id)) continue;
      PacketPtr report(make_report(*s, packet, quoted.data, quoted, 0, error));
      s->failed(error.number, severity, report);
    }
  }

  // Null where the socket does not want it, or memory is short.
  static Packet* make_report(const UdpSocket& socket, const pbuf* packet, u16 at, const Quoted& quoted, u16 port,
                             const QueuedError& error) {
    if (!socket.receive_error_) return nullptr;
    const u16 size = static_cast<u16>(packet->tot_len > at ? packet->tot_len - at : 0);
    PacketPtr report(Packet::create(max<usize>(size, 1)));
    if (!report || report->capacity < size) return nullptr;
    auto own = make_own<QueuedError>(error);
    report->from = new (std::nothrow) Address(Address::inet(quoted.to, port, socket.family()));
    if (!own.ok() || report->from == nullptr) return nullptr;
    own.value()->offender.family = socket.family();
    report->error = own.take();
    report->size = pbuf_copy_partial(packet, report->data, size, at);
    return report.release();
  }
};

void UdpSocket::start_watching() {
  static bool watching = false;
  if (watching) return;
  watching = true;
  raw_pcb* v4 = raw_new_ip_type(IPADDR_TYPE_V4, kProtoIcmp);
  raw_pcb* v6 = raw_new_ip_type(IPADDR_TYPE_V6, kProtoIcmp6);
  if (v4 != nullptr) raw_recv(v4, IcmpWatch::received, nullptr);
  if (v6 != nullptr) raw_recv(v6, IcmpWatch::received, nullptr);
}

// Never waits. Reports of sends without a copy come behind the network's. The pending error follows the queue: it
// becomes the next report's (sock_dequeue_err_skb).
Result<usize> UdpSocket::receive_error(Message& message) {
  PacketPtr report;
  {
    CoreGuard guard;
    report = PacketPtr(errors_.pop_front());
    if (report) {
      charge_ -= report->charge;
      set_error(errors_.empty() ? Errno{} : errors_.front()->error->number);
    }
  }
  if (!report) return receive_zero_copy_report(message);
  const usize part = min<usize>(report->size, message.data.remaining());
  if (part > 0 && TRY(message.data.put(report->data, part)) < part) return Errno::Fault;
  message.out_flags |= kMsgErrQueue;
  if (part < report->size) message.out_flags |= kMsgTrunc;
  if (message.from != nullptr) *message.from = *report->from;
  message.error = uni::move(report->error);
  return part;
}

}  // namespace uni::net
