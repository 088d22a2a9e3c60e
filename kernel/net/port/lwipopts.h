// SPDX-License-Identifier: Apache-2.0
// lwIP's configuration. The stack runs without its own threads (NO_SYS) under one spin lock, allocates from the
// kernel's slab without fixed pools, and is ticked by kernel/net/ticks.cpp (docs/NETWORK.md).
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0
#ifndef UNI_DEBUG_LOCKS
#define LWIP_NOASSERT 1
#endif
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_STATS 0
#define LWIP_CALLBACK_API 1

// Memory: everything from the slab, no limit of its own.
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define mem_clib_malloc uni_lwip_malloc
#define mem_clib_calloc uni_lwip_calloc
#define mem_clib_free uni_lwip_free
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_POOL_BUFSIZE 1600

// Room for the device's header in front of the Ethernet header, so that a small frame is one descriptor.
#define PBUF_LINK_ENCAPSULATION_HLEN 12
#define ETH_PAD_SIZE 0

// Interfaces.
#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_ARP 1
#define LWIP_ETHERNET 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_LOOPBACK_MAX_PBUFS 0
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM uni_lwip_checksum

// ARP: a burst of packets to an address that is still being asked for waits as a whole.
#define ARP_TABLE_SIZE 64
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 4096
#define ETHARP_SUPPORT_VLAN 0

// IP.
#define IP_REASSEMBLY 1
#define IP_FRAG 1
#define IP_REASS_MAX_PBUFS 512
#define IP_DEFAULT_TTL 64
#define IP_SOF_BROADCAST 1
#define IP_SOF_BROADCAST_RECV 0
#define LWIP_ICMP 1
#define LWIP_BROADCAST_PING 0
#define LWIP_RAW 1
#define RAW_TTL 64
#define LWIP_IGMP 1
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_DHCP_BOOTP_FILE 0
#define LWIP_DNS 0
#define LWIP_AUTOIP 0
#define LWIP_IPV6_MLD 1
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define LWIP_IPV6_NUM_ADDRESSES 4
#define LWIP_IPV6_FORWARD 0
#define IPV6_FRAG_COPYHEADER 1  // a pointer does not fit in the fragment header
#define LWIP_ND6_QUEUEING 1
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 3
#define DNS_MAX_SERVERS LWIP_ND6_RDNSS_MAX_DNS_SERVERS
#define LWIP_ND6_NUM_NEIGHBORS 32
#define MEMP_NUM_ND6_QUEUE 1024

// UDP.
#define LWIP_UDP 1
#define UDP_TTL 64

// TCP. The segment size is the interface's MTU, up to what a 64 KiB frame holds.
#define LWIP_TCP 1
#define TCP_MSS 65400
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 4
#define TCP_WND (512 * 1024)
#define TCP_SND_BUF (384 * 1024)
#define TCP_SND_QUEUELEN 4096
#define TCP_SNDLOWAT (TCP_SND_BUF / 3)
#define TCP_SNDQUEUELOWAT 1024
#define TCP_WND_UPDATE_THRESHOLD (16 * 1024)
#define TCP_OVERSIZE 512
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_MAX_SACK_NUM 4
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_TCP_KEEPALIVE 1
#define TCP_MSL 30000UL
#define TCP_MAXRTX 12
#define TCP_SYNMAXRTX 6
#define SO_REUSE 1
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1  // they assume 16-bit windows
#define MEMP_NUM_TCP_SEG TCP_SND_QUEUELEN
#define MEMP_NUM_TCP_PCB 65535

// Segments that lwIP should not see: SYNs for which the listener has no room (kernel/net/tcp_wire.cpp).
#define LWIP_HOOK_FILENAME "uni_lwip_hooks.h"
