// SPDX-License-Identifier: Apache-2.0
// UDP sockets (udp(7), udplite(7)), and raw ICMP ones, which share the queue of whole packets. Between sockets of this
// machine a datagram goes straight from queue to queue; others go through an lwIP pcb that is made when it is first
// needed. State and queues are under the core lock.
#pragma once

#include "kernel/net/core.hpp"
#include "kernel/net/ports.hpp"
#include "kernel/net/socket.hpp"

struct udp_pcb;
struct raw_pcb;
struct pbuf;

namespace uni::net {

class UdpSocket final : public Socket {
 public:
  // `type` is kDatagram (UDP, UDP-Lite, or ICMP echo with protocol ICMP) or kRaw.
  static Result<RefPtr<UdpSocket>> create(AddressFamily family, SocketType type, int protocol, u32 open_flags);

  Result<void> bind(const Address& address) override;
  Result<void> connect(const Address& address, Waiting waiting) override;
  Result<Address> local_address() override;
  Result<Address> peer_address() override;
  Result<void> shutdown(ShutdownHow how) override;
  Result<usize> send(Message& message) override;
  Result<usize> receive(Message& message) override;
  Result<void> set_option(Option option, i64 value) override;
  Result<i64> get_option(Option option) override;
  Result<void> change_group(GroupAction action, const GroupRequest& request) override;
  Result<void> set_group_filter(const GroupRequest& request, GroupFilter&& filter) override;
  Result<GroupFilter> group_filter(const GroupRequest& request) override;
  Result<void> set_multicast_interface(const GroupRequest& request) override;
  IpAddress multicast_interface() override { return multicast_.chosen_address(); }
  u32 poll() override;

  Result<void> set_icmp_filter(Span<const u8> mask) override;
  Result<Span<const u8>> icmp_filter() override;

  // An error came back for a datagram that was sent. Core lock held; takes `report`, whose `error` is set, for the
  // error queue where the program wants that.
  enum class Severity : u8 { kPassing, kFatal };
  void failed(Errno number, Severity severity, PacketPtr& report);
  // lwIP's callbacks, core lock held.
  struct WireEvents;

 protected:
  usize readable_bytes() override;

 private:
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  UdpSocket(AddressFamily family, SocketType type, int protocol, u32 open_flags);
  ~UdpSocket() override;

  // UDP-Lite (RFC 3828) is UDP with ports of its own here, and goes within the machine only.
  bool is_lite() const { return protocol() == 136; }
  bool is_udp() const { return protocol() == 17 || is_lite(); }
  // "Ping" sockets (icmp(7)): their port is the identifier of their echo requests.
  bool is_ping() const { return !is_udp() && type() == SocketType::kDatagram; }
  PortTable& ports() const { return is_lite() ? g_udp_lite_ports : is_ping() ? g_ping_identifiers : g_udp_ports; }
  Result<Address> resolve(const Address& address) const;
  Result<void> claim_port(const IpAddress& ip, u16 port);               // core lock held
  Result<void> make_wire();                                             // core lock held
  bool deliver(Packet* packet);                                         // core lock held; takes it, unless full
  void deliver_wire(pbuf* data, const IpAddress& from, u16 from_port);  // core lock held
  bool deliver_local(const Address& to, PacketPtr& packet, const IpAddress& source);  // core lock held
  bool filtered(Packet& packet);  // core lock held; false: to be dropped
  Result<usize> send_data(Message& message);
  Result<usize> send_segments(Message& message, usize segment);
  Result<usize> send_local(Message& message, const Address& to, const IpAddress& source);
  Result<usize> send_wire(Message& message, const Address& to);
  Result<usize> receive_error(Message& message);
  // udp_raw.cpp.
  struct RawData;
  static void deliver_raw(const RawData& data);                                                // core lock held
  bool wants_raw(const RawData& data) const;                                                   // core lock held
  bool icmp_type_wanted(u8 icmp_type) const;                                                   // core lock held
  bool sent_raw(u8 inner_protocol, const IpAddress& from, const IpAddress& to, u16 id) const;  // core lock held
  Result<void> complete_icmp(u8* bytes, usize size, const IpAddress& source, const IpAddress& to);
  Result<usize> send_raw_local(Message& message, const Address& to, const IpAddress& source);
  struct IcmpWatch;  // udp_error.cpp
  static void start_watching();
  void enter_raw();  // core lock held
  struct RawList;
  static UdpSocket* next_raw(UdpSocket* after);  // the first for null; core lock held
  // udp_multicast.cpp. The way that a datagram to a group takes; core lock held. Errors: NetworkUnreachable.
  struct GroupRoute {
    u32 interface;
    IpAddress source;
  };
  Result<GroupRoute> route_group(const Message& message, const Address& to) const;
  Result<usize> send_group(Message& message, const Address& to);
  bool wants(const IpAddress& to, u32 interface, const IpAddress& from, u16 from_port) const;  // core lock held
  static void deliver_copies(const Packet& packet, const IpAddress& from, u16 from_port, u16 to_port, PortTable& table);
  static void watch_groups();  // core lock held
  struct GroupWatch;
  u8 ttl_of(const Message& m) const { return m.own_ttl < 0 ? ttl_ : static_cast<u8>(m.own_ttl); }
  u8 tos_of(const Message& m) const { return m.own_tos < 0 ? tos_ : static_cast<u8>(m.own_tos); }

  PortUse use_;
  IpAddress local_ip_, remote_ip_;
  u16 remote_port_ = 0;
  u32 remote_scope_ = 0;
  bool connected_ = false;
  bool read_shut_ = false, write_shut_ = false;
  udp_pcb* udp_ = nullptr;
  raw_pcb* raw_ = nullptr;

  PacketList queue_in_;
  usize charge_ = 0;
  Mutex reader_;

  // UDP_CORK, MSG_MORE: the datagram that is being put together, and where it goes.
  struct Cork {
    Vector<u8> data;
    bool named = false;
    Address to;
    bool has_packet_info = false;
    IpAddress packet_to = kAnyV4;
    u32 packet_interface = 0;
    i32 own_ttl = -1, own_tos = -1;
  };
  Result<usize> send_corked(Message& message);
  Result<void> uncork();  // cork_lock_ held
  Result<void> set_cork(bool on);
  Mutex cork_lock_;
  OwnPtr<Cork> cork_;
  std::atomic<bool> corked_{false};  // cork_ is there, or the option is on

  Multicast multicast_;
  PacketList errors_;        // MSG_ERRQUEUE
  ListNode raw_node_;        // of all sockets that are not UDP's
  u8 icmp_filter_[32] = {};  // types that are not wanted

  bool v6_only_ = false, packet_info_ = false, v6_packet_info_ = false, receive_ttl_ = false, receive_tos_ = false;
  bool v6_receive_hops_ = false, v6_receive_class_ = false, header_included_ = false, free_bind_ = false;
  bool receive_error_ = false, cork_option_ = false;
  u32 segment_size_ = 0;  // UDP_SEGMENT: a longer message goes in pieces of it
  u8 ttl_ = 64, tos_ = 0;
};

}  // namespace uni::net
