// SPDX-License-Identifier: Apache-2.0
// A run of bytes on its way through a socket, with what travels beside it: descriptors, credentials, addresses. Streams
// queue them as chunks, datagram sockets as messages.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/net/address.hpp"

namespace uni::net {

struct PeerCredentials {
  u32 pid = 0, uid = ~0u, gid = ~0u;
  friend bool operator==(const PeerCredentials&, const PeerCredentials&) = default;
};

// SCM_RIGHTS: open files that travel, from flight::take_off to flight::land (flight.hpp).
struct Rights {
  ~Rights();  // lands
  Vector<RefPtr<fs::File>> files;
  bool travels = false;
  u32 sender_uid = 0;
};

// What became of a datagram that was sent, as the error queue tells it (ip(7), IP_RECVERR: sock_extended_err).
struct QueuedError {
  Errno number{};
  u8 origin = 0, type = 0, code = 0;
  u32 info = 0, data = 0;
  Address offender;  // who said so
};

struct Packet {
  ListNode node;
  u8* data = nullptr;
  u32 size = 0;         // bytes from data
  u32 capacity = 0;     // room at data
  u32 charge = 0;       // what it counts for against a buffer limit
  bool urgent = false;  // TCP, unix streams: the one byte of out-of-band data
  u8 page_order = 0;    // of a separate data block
  u8 ttl = 0;           // UDP: hop limit and type of service it came with
  u8 tos = 0;
  mm::Page* pages = nullptr;  // a separate data block, or null when data lies behind this header
  void* wire = nullptr;       // a pbuf chain that holds the data instead (datagrams from the wire)
  PeerCredentials credentials;
  OwnPtr<Rights> rights;
  OwnPtr<QueuedError> error;  // in an error queue; `from` is then where the datagram was sent to
  Address* from = nullptr;    // datagrams: the sender; owned, null where it has no name
  IpAddress to = kAnyV4;      // UDP: the address it was sent to (IP_PKTINFO)
  u32 interface = 0;          // UDP: where it came in
  u64 time_ns = 0;            // when it came, where that was asked for

  // A packet with room for `capacity` bytes, at most kMaxData. Null when out of memory.
  static constexpr usize kMaxData = 64 * kKiB;
  static Packet* create(usize capacity);
  static void destroy(Packet* packet);
};

using PacketList = List<Packet, &Packet::node>;

// Owns one Packet.
class PacketPtr {
 public:
  PacketPtr() = default;
  explicit PacketPtr(Packet* p) : ptr_(p) {}
  PacketPtr(PacketPtr&& o) noexcept : ptr_(o.release()) {}
  PacketPtr& operator=(PacketPtr&& o) noexcept {
    swap(ptr_, o.ptr_);
    return *this;
  }
  ~PacketPtr() {
    if (ptr_ != nullptr) Packet::destroy(ptr_);
  }
  Packet* get() const { return ptr_; }
  Packet* operator->() const { return ptr_; }
  Packet& operator*() const { return *ptr_; }
  explicit operator bool() const { return ptr_ != nullptr; }
  Packet* release() { return exchange(ptr_, nullptr); }

 private:
  Packet* ptr_ = nullptr;
};

// Frees every packet of a list. Needs: no spin lock held (travelling files may be closed by it).
void destroy_all(PacketList& list);

}  // namespace uni::net
