// SPDX-License-Identifier: Apache-2.0
// What lwIP asks us (opt.h, "Hook options").
#pragma once

#include "lwip/arch.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcp_pcb;
struct tcp_hdr;
struct pbuf;
struct netif;

// May this segment be handed to this connection or listener? 0 (ERR_OK) for yes.
signed char uni_lwip_tcp_segment(struct tcp_pcb* pcb, struct tcp_hdr* header);
// An initial sequence number (RFC 6528).
u32_t uni_lwip_tcp_isn(const ip_addr_t* local, u16_t local_port, const ip_addr_t* remote, u16_t remote_port);
// An option of a DHCP answer, `size` bytes at `offset` of the packet.
void uni_lwip_dhcp_option(struct netif* n, struct pbuf* packet, u8_t option, u8_t size, u16_t offset);

// A packet came in; 0: go on with it.
int uni_lwip_ip4_input(struct pbuf* packet);
int uni_lwip_ip6_input(struct pbuf* packet);
// A name server of a router advertisement (RFC 8106); which of them does not matter.
void uni_lwip_name_server(u8_t index, const ip_addr_t* server);
const ip_addr_t* uni_lwip_get_name_server(u8_t index);

#ifdef __cplusplus
}
#endif

#define dns_setserver uni_lwip_name_server
#define dns_getserver uni_lwip_get_name_server
#define htonl lwip_htonl  // nd6.c takes it for given

#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p) uni_lwip_tcp_segment(pcb, hdr)
#define LWIP_HOOK_TCP_ISN uni_lwip_tcp_isn
#define LWIP_HOOK_IP4_INPUT(packet, netif) uni_lwip_ip4_input(packet)
#define LWIP_HOOK_IP6_INPUT(packet, netif) uni_lwip_ip6_input(packet)
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, msg, msg_type, option, len, pbuf, offset) \
  uni_lwip_dhcp_option(netif, pbuf, option, (u8_t)(len), (u16_t)(offset))
