// SPDX-License-Identifier: Apache-2.0
// TCP sockets (tcp(7)). A connection to an address of our own is a LocalStream and never meets lwIP; one over the wire
// is an lwIP pcb (tcp_wire.cpp). State, names and queues are under the core lock; `stream_` is set once, before state_
// becomes kConnected.
#pragma once

#include "kernel/net/core.hpp"
#include "kernel/net/local_stream.hpp"
#include "kernel/net/ports.hpp"

struct tcp_pcb;
struct pbuf;

namespace uni::net {

struct WireListener;

class TcpSocket final : public Socket {
 public:
  static Result<RefPtr<TcpSocket>> create(AddressFamily family, u32 open_flags);

  Result<void> bind(const Address& address) override;
  Result<void> connect(const Address& address, Waiting waiting) override;
  Result<void> listen(int backlog) override;
  Result<RefPtr<Socket>> accept(u32 open_flags, Waiting waiting) override;
  Result<Address> local_address() override;
  Result<Address> peer_address() override;
  Result<void> shutdown(ShutdownHow how) override;
  Result<usize> send(Message& message) override;
  Result<usize> receive(Message& message) override;
  Result<void> set_option(Option option, i64 value) override;
  Result<i64> get_option(Option option) override;
  Result<TcpInfo> tcp_info() override;
  // A stream receives no multicast: the membership is only kept, and not passed on to what accept gives.
  Result<void> change_group(GroupAction action, const GroupRequest& request) override;
  u32 poll() override;

  // From lwIP's callbacks, core lock held.
  struct WireEvents;
  // A segment says that the byte before sequence number `behind` is urgent (RFC 6093). Core lock held.
  void urgent_told(u32 behind);
  static void segment_is_urgent(tcp_pcb* pcb, u32 behind);
  // Is there no room for another connection? Core lock held.
  bool accept_queue_full(u32 least = 0) const;

 protected:
  bool at_mark() override;
  usize readable_bytes() override;
  usize unsent_bytes() override;

 private:
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  enum class State : u8 { kFresh, kListening, kConnecting, kConnected, kClosed };

  TcpSocket(AddressFamily family, u32 open_flags);
  ~TcpSocket() override;

  Result<usize> send_data(Message& message);
  Result<Address> resolve(const Address& address) const;
  Address shown(const IpAddress& ip, u16 port) const;
  Result<void> claim_port(const IpAddress& ip, u16 port);  // core lock held
  Result<void> connect_start(const Address& to);           // core lock held
  Result<void> connect_local(const Address& to);           // core lock held
  bool join_listener(TcpSocket& listener);                 // core lock held; false: out of memory
  void add_pending(TcpSocket& child);                      // core lock held; takes the reference
  void admit_waiting();                                    // core lock held
  void inherit_from(const TcpSocket& listener);
  State state() const { return state_.load(std::memory_order_acquire); }
  bool is_local() const { return static_cast<bool>(stream_); }
  // Bytes that a connection within the machine holds on the way to the other end.
  u32 local_limit() const;
  // Was there a connection that is over in both directions? Linux's TCP_CLOSE. Core lock held.
  bool is_over() const;

  // tcp_wire.cpp: core lock held, except where marked.
  Result<void> wire_listen();
  void wire_unlisten();
  Result<void> wire_connect(const Address& to);
  void wire_adopt(tcp_pcb* pcb);
  void wire_detach();
  void wire_finish();  // no more will be sent
  void wire_close(bool reset);
  void wire_apply_options();
  void wire_flush();
  void wire_consumed(usize bytes);
  bool wire_may_send() const;
  enum class Urgency : u8 { kNone, kLastByte };
  Errno wire_queue(pbuf* data, bool more, Urgency urgency);
  // tcp_urgent.cpp. Where the reader is in the peer's sequence, and how far off the urgent byte is from there: kNoMark
  // where there is none, or it has not come yet.
  static constexpr usize kNoMark = ~usize{0};
  u32 wire_read_sequence() const { return rx_start_ + rx_taken_; }
  usize wire_mark() const;
  bool wire_mark_within(usize bytes) const { return urgent_ && urgent_sequence_ - wire_read_sequence() < bytes; }
  // Bytes that a reader can have, as FIONREAD and poll(2) count them.
  usize wire_readable() const;
  Result<usize> wire_take_urgent(Message& message);  // takes the lock
  Result<usize> wire_send(Message& message);         // takes it
  Result<usize> wire_receive(Message& message);      // takes it
  Result<usize> wire_copy_out(Message& message, usize wanted);
  void wire_linger();         // takes it
  u32 wire_poll() const;      // takes it
  TcpInfo wire_info() const;  // takes it

  std::atomic<State> state_{State::kFresh};
  PortUse use_;
  IpAddress local_ip_ = kAnyV4, remote_ip_ = kAnyV4;
  u16 local_port_ = 0, remote_port_ = 0;
  u32 scope_ = 0;
  bool connect_reported_ = false;
  bool read_shut_ = false, write_shut_ = false;

  RefPtr<LocalStream> stream_;
  int end_ = 0;

  // Listening.
  u32 backlog_ = 0, pending_count_ = 0;
  ListNode node_;  // in the listener's pending_ or waiting_
  List<TcpSocket, &TcpSocket::node_> pending_;
  List<TcpSocket, &TcpSocket::node_> waiting_;  // local clients that found the queue full
  bool waits_for_listener_ = false;
  WireListener* wire_listener_ = nullptr;

  // On the wire.
  tcp_pcb* pcb_ = nullptr;
  pbuf* rx_head_ = nullptr;
  pbuf* rx_tail_ = nullptr;
  usize rx_bytes_ = 0;
  u32 consumed_ = 0;                 // read by the program, not yet told to lwIP
  u32 rx_start_ = 0, rx_taken_ = 0;  // the peer's first sequence number, and what the program has read since
  u32 urgent_sequence_ = 0;
  bool urgent_ = false, urgent_taken_ = false;
  bool rx_end_ = false;
  Mutex reader_, writer_;

  // Options.
  bool no_delay_ = false, cork_ = false, v6_only_ = false, quick_ack_ = true;
  u32 keep_idle_s_ = 7200, keep_interval_s_ = 75, keep_count_ = 9, defer_accept_ = 0, syn_count_ = 6;
  u32 user_timeout_ms_ = 0, window_clamp_ = 0, fast_open_ = 0, not_sent_low_water_ = 0, max_segment_ = 0;
  i32 linger2_ = 60;
  u8 tos_ = 0, ttl_ = 64;
  bool free_bind_ = false;
  Multicast groups_;  // streams may join, and nothing comes of it
};

}  // namespace uni::net
