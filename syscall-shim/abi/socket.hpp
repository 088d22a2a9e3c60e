// SPDX-License-Identifier: Apache-2.0
// Linux's socket structures and numbers (socket(2), ip(7), unix(7), netlink(7)), x86-64 layout.
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

enum : i32 {
  kAfUnspec = 0,
  kAfUnix = 1,
  kAfInet = 2,
  kAfInet6 = 10,
  kAfNetlink = 16,
  kAfPacket = 17,
  kAfMax = 46,
};

enum : i32 {
  kSockStream = 1,
  kSockDgram = 2,
  kSockRaw = 3,
  kSockSeqPacket = 5,
  kSockMax = 11,
  kSockTypeMask = 0xf,
  kSockNonBlock = 0x800,
  kSockCloseOnExec = 0x80000,
};

enum : i32 {
  kProtoIp = 0,
  kProtoIcmp = 1,
  kProtoTcp = 6,
  kProtoUdp = 17,
  kProtoIpv6 = 41,
  kProtoIcmpv6 = 58,
  kProtoRaw = 255
};

struct SockaddrIn {
  u16 family;
  u16 port;     // network order
  u32 address;  // network order
  u8 zero[8];
};
static_assert(sizeof(SockaddrIn) == 16);

struct SockaddrIn6 {
  u16 family;
  u16 port;
  u32 flow;
  u8 address[16];
  u32 scope;
};
static_assert(sizeof(SockaddrIn6) == 28);
inline constexpr u32 kSockaddrIn6Least = 24;  // RFC 2133's, without the scope

struct SockaddrUn {
  u16 family;
  char path[108];
};
static_assert(sizeof(SockaddrUn) == 110);

struct SockaddrNl {
  u16 family;
  u16 pad;
  u32 port;
  u32 groups;
};
static_assert(sizeof(SockaddrNl) == 12);

struct SockaddrStorage {
  u16 family;
  u8 bytes[126];
};
static_assert(sizeof(SockaddrStorage) == 128);

struct Msghdr {
  u64 name;
  i32 name_size;
  u32 pad0;
  u64 segments;  // struct iovec[]
  u64 segment_count;
  u64 control;
  u64 control_size;
  u32 flags;
  u32 pad1;
};
static_assert(sizeof(Msghdr) == 56);

struct Mmsghdr {
  Msghdr header;
  u32 size;
  u32 pad;
};
static_assert(sizeof(Mmsghdr) == 64);

struct Cmsghdr {
  u64 size;  // header included
  i32 level;
  i32 type;
};
static_assert(sizeof(Cmsghdr) == 16);

struct Linger {
  i32 on;
  i32 seconds;
};

struct Ucred {
  u32 pid, uid, gid;
};

struct IpMreq {
  u32 group;
  u32 interface;
};

struct IpMreqn {
  u32 group;
  u32 address;
  i32 index;
};

struct IpMreqSource {
  u32 group, interface, source;
};

// struct ip_msfilter: this, and `count` addresses of four bytes.
struct IpMsfilter {
  u32 group, interface, mode, count;
};
static_assert(sizeof(IpMsfilter) == 16);

struct Ipv6Mreq {
  u8 group[16];
  u32 index;
};

struct GroupReq {
  u32 index, pad;
  SockaddrStorage group;
};
static_assert(sizeof(GroupReq) == 136);

struct GroupSourceReq {
  u32 index, pad;
  SockaddrStorage group, source;
};
static_assert(sizeof(GroupSourceReq) == 264);

// struct group_filter: this, and `count` addresses of 128 bytes.
struct GroupFilter {
  u32 index, pad;
  SockaddrStorage group;
  u32 mode, count;
};
static_assert(sizeof(GroupFilter) == 144);

// struct sock_extended_err; the address of who reported it follows.
struct ExtendedError {
  u32 number;
  u8 origin, type, code, pad;
  u32 info, data;
};
static_assert(sizeof(ExtendedError) == 16);

struct InPktinfo {
  i32 index;
  u32 specified;
  u32 to;
};

struct In6Pktinfo {
  u8 to[16];
  u32 index;
};

// struct tcp_info up to tcpi_total_retrans (linux/tcp.h): what all versions have.
struct TcpInfo {
  u8 state, ca_state, retransmits, probes, backoff, options, scales, rate_limited;
  u32 rto, ato, snd_mss, rcv_mss;
  u32 unacked, sacked, lost, retrans, fackets;
  u32 last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
  u32 pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
  u32 rcv_rtt, rcv_space, total_retrans;
};
static_assert(sizeof(TcpInfo) == 104);

enum : i32 {
  kSolIp = 0,
  kSolSocket = 1,
  kSolTcp = 6,
  kSolUdp = 17,
  kSolIpv6 = 41,
  kSolIcmpv6 = 58,
  kSolRaw = 255,
  kSolNetlink = 270,
};

enum : i32 { kScmRights = 1, kScmCredentials = 2, kScmTimestamp = 29, kScmTimestampNs = 35 };
inline constexpr u32 kScmMaxFd = 253;

}  // namespace uni::abi
