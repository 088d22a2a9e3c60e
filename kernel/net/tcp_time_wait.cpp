// SPDX-License-Identifier: Apache-2.0
// TIME_WAIT as Linux has it. lwIP answers a peer that uses its port again within a minute with an acknowledgement of
// the old connection, and the peer waits in vain. So before lwIP looks at a segment, what it may end is taken away: a
// SYN behind the old connection's end begins a new one (RFC 1122, 4.2.2.13), and a RST at the very end is believed
// (net.ipv4.tcp_rfc1337 is 0). There is a bound on how many wait (tcp_max_tw_buckets): the oldest go.
// No socket leads to a pcb in TIME_WAIT (wire_detach). The core lock is held.
#include "kernel/net/lwip_address.hpp"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"

namespace uni::net {
namespace {

constexpr u32 kMostWaiting = 4096;

bool is_after(u32 a, u32 b) {
  return static_cast<i32>(a - b) > 0;
}

bool belongs(const tcp_pcb& pcb, const tcp_hdr& segment, const ip_addr_t& from, const ip_addr_t& to) {
  return pcb.remote_port == lwip_ntohs(segment.src) && pcb.local_port == lwip_ntohs(segment.dest) &&
         ip_addr_cmp(&pcb.remote_ip, &from) && ip_addr_cmp(&pcb.local_ip, &to);
}

void look_at(const tcp_hdr& segment, const ip_addr_t& from, const ip_addr_t& to) {
  const u32 flags = TCPH_FLAGS(&segment) & (TCP_SYN | TCP_ACK | TCP_RST);
  const bool begins = flags == TCP_SYN;
  if (!begins && (flags & TCP_RST) == 0) return;
  const u32 sequence = lwip_ntohl(segment.seqno);
  u32 count = 0;
  tcp_pcb* found = nullptr;
  tcp_pcb* oldest = nullptr;  // lwIP puts new ones first
  for (tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr; pcb = pcb->next) {
    ++count;
    oldest = pcb;
    if (!belongs(*pcb, segment, from, to)) continue;
    found = pcb;
    break;
  }
  if (found != nullptr) {
    const bool ends = begins ? is_after(sequence, found->rcv_nxt) : sequence == found->rcv_nxt;
    if (ends) tcp_abandon(found, 0);
  } else if (count > kMostWaiting) {
    tcp_abandon(oldest, 0);
  }
}

}  // namespace
}  // namespace uni::net

// The IP header stands at the packet's beginning, unchecked. Gives 0: lwIP goes on with the packet.
extern "C" int uni_lwip_ip4_input(struct pbuf* packet) {
  using uni::usize;
  if (packet->len < IP_HLEN) return 0;
  const auto* ip = static_cast<const ip_hdr*>(packet->payload);
  const usize header = IPH_HL_BYTES(ip);
  const bool fragment = (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF)) != 0;
  if (IPH_PROTO(ip) != IP_PROTO_TCP || fragment || packet->len < header + sizeof(tcp_hdr)) return 0;
  ip_addr_t from, to;
  ip_addr_copy_from_ip4(from, ip->src);
  ip_addr_copy_from_ip4(to, ip->dest);
  // SAFETY: within the packet, by its length; lwIP reads it in the same way.
  uni::net::look_at(*reinterpret_cast<const tcp_hdr*>(static_cast<const char*>(packet->payload) + header), from, to);
  return 0;
}

extern "C" int uni_lwip_ip6_input(struct pbuf* packet) {
  if (packet->len < IP6_HLEN + sizeof(tcp_hdr)) return 0;
  const auto* ip = static_cast<const ip6_hdr*>(packet->payload);
  if (IP6H_NEXTH(ip) != IP6_NEXTH_TCP) return 0;
  ip_addr_t from, to;
  ip_addr_copy_from_ip6_packed(from, ip->src);
  ip_addr_copy_from_ip6_packed(to, ip->dest);
  // SAFETY: as above.
  uni::net::look_at(*reinterpret_cast<const tcp_hdr*>(static_cast<const char*>(packet->payload) + IP6_HLEN), from, to);
  return 0;
}
