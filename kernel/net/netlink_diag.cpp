// SPDX-License-Identifier: Apache-2.0
// NETLINK_SOCK_DIAG (sock_diag(7)): dumps of TCP and UDP sockets as ss(8) asks for them, from the port tables. What is
// not known of a socket (queues, timers, TCP's figures) is zero; other families have no sockets to show.
#include "kernel/net/core.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/netlink_message.hpp"
#include "kernel/net/netlink_socket.hpp"
#include "kernel/net/ports.hpp"

namespace uni::net {

namespace {

constexpr u16 kByFamily = 20;  // SOCK_DIAG_BY_FAMILY
constexpr u8 kInet4 = 2, kInet6 = 10, kTcp = 6, kUdp = 17, kUdpLite = 136;

// struct inet_diag_sockid.
struct Identity {
  u16 own_port, peer_port;  // network order
  u8 own[16], peer[16];
  u32 interface;
  u32 cookie[2];
};
static_assert(sizeof(Identity) == 48);

// struct inet_diag_req_v2.
struct Request {
  u8 family, protocol, extensions, pad;
  u32 states;
  Identity id;
};
static_assert(sizeof(Request) == 56);

// struct inet_diag_msg.
struct Answer {
  u8 family, state, timer, retransmits;
  Identity id;
  u32 expires, receive_queue, write_queue, uid, inode;
};
static_assert(sizeof(Answer) == 72);

void put_ip(const IpAddress& ip, bool six, u8* to) {
  if (six)
    __builtin_memcpy(to, ip.bytes, 16);
  else
    __builtin_memcpy(to, ip.bytes + 12, 4);
}

Answer answer_of(const PortUse& use, bool tcp, bool six) {
  constexpr u8 kEstablished = 1, kClose = 7, kListen = 10;
  Answer a{};
  a.family = six ? kInet6 : kInet4;
  a.state = tcp && use.listening ? kListen : use.connected ? kEstablished : kClose;
  a.id.own_port = __builtin_bswap16(use.port);
  a.id.peer_port = __builtin_bswap16(use.remote_port);
  put_ip(use.ip, six, a.id.own);
  if (use.connected) put_ip(use.remote, six, a.id.peer);
  const u64 number = use.owner->number();
  a.id.cookie[0] = static_cast<u32>(number);
  a.id.cookie[1] = static_cast<u32>(number >> 32);
  a.uid = use.uid;
  a.inode = static_cast<u32>(number);
  return a;
}

// The sockets that a request asks for.
Result<void> collect(const Request& request, Vector<Answer>& out) {
  const bool six = request.family == kInet6;
  const bool tcp = request.protocol == kTcp;
  if (!tcp && request.protocol != kUdp && request.protocol != kUdpLite) return {};
  PortTable& table = tcp ? g_tcp_ports : request.protocol == kUdp ? g_udp_ports : g_udp_lite_ports;
  constexpr usize kMost = 4096;
  TRY(out.reserve(kMost));
  CoreGuard guard;
  table.each_use([&](PortUse& use) {
    if (out.size() == kMost || (use.owner->family() == AddressFamily::kInet6) != six) return;
    const Answer a = answer_of(use, tcp, six);
    if ((request.states >> a.state & 1) != 0) (void)out.push(a).ok();  // there is room
  });
  return {};
}

}  // namespace

Result<void> NetlinkSocket::answer_diagnosis(const NetlinkHeader& request, Span<const u8> body) {
  constexpr usize kPacket = 8192;
  PacketPtr space(Packet::create(kPacket));
  if (!space) return Errno::NoBuffers;
  Request wanted{};
  __builtin_memcpy(&wanted, body.data(), min(body.size(), sizeof wanted));
  Vector<Answer> answers;
  NetlinkBuilder out(space->data, space->capacity);
  const bool dump = (request.flags & kNlDump) != 0;
  if (request.type != kByFamily || !dump) {
    out.error(-static_cast<i32>(dump ? Errno::Invalid : Errno::NoEntry), request, port_);
    return queue(space->data, out.size());
  }
  if (wanted.family == kInet4 || wanted.family == kInet6) TRY(collect(wanted, answers));
  for (const Answer& a : answers) {
    if (out.size() + sizeof(NetlinkHeader) + sizeof a > space->capacity) {
      TRY(queue(space->data, out.size()));
      out = NetlinkBuilder(space->data, space->capacity);
    }
    out.begin(kByFamily, kNlMulti, request.sequence, port_);
    out.body(&a, sizeof a);
    out.end();
  }
  TRY(queue(space->data, out.size()));
  out = NetlinkBuilder(space->data, space->capacity);
  out.done(request.sequence, port_);
  return queue(space->data, out.size());
}

}  // namespace uni::net
