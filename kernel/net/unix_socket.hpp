// SPDX-License-Identifier: Apache-2.0
// AF_UNIX sockets (unix(7)): stream, datagram and sequenced packets, by path, by abstract name, or as pairs. Names,
// peers and accept queues are under one lock; a stream's data has its own (local_stream.hpp).
#pragma once

#include "kernel/fs/inode.hpp"
#include "kernel/net/local_stream.hpp"
#include "kernel/security/landlock_holder.hpp"

namespace uni::net {

// Where others wait for room in a socket's queue. They hold this and not the socket, which can so be closed meanwhile.
struct UnixDoor : RefCounted {
  WaitQueue queue;
  class UnixSocket* socket = nullptr;  // under the names lock; null once the socket is gone
};

class UnixSocket final : public Socket {
 public:
  static Result<RefPtr<UnixSocket>> create(SocketType type, u32 open_flags);
  // socketpair(2).
  static Result<void> create_pair(SocketType type, u32 open_flags, RefPtr<Socket>* a, RefPtr<Socket>* b);

  Result<void> bind(const Address& address) override;
  Result<void> connect(const Address& address, Waiting waiting) override;
  Result<void> listen(int backlog) override;
  Result<RefPtr<Socket>> accept(u32 open_flags, Waiting waiting) override;
  Result<Address> local_address() override;
  Result<Address> peer_address() override;
  Result<void> shutdown(ShutdownHow how) override;
  Result<usize> send(Message& message) override;
  Result<usize> receive(Message& message) override;
  Result<i64> get_option(Option option) override;
  Result<PeerCredentials> peer_credentials() override;
  u32 poll() override;
  void descriptor_closed(fs::FileTable& table) override;

 protected:
  bool at_mark() override {
    return state_.load(std::memory_order_acquire) == State::kConnected && stream_->at_mark(end_);
  }
  usize readable_bytes() override;
  usize unsent_bytes() override;

 private:
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  friend class UnixNames;
  friend class Flights;
  enum class State : u8 { kFresh, kListening, kConnected };

  UnixSocket(SocketType type, u32 open_flags);
  ~UnixSocket() override;

  bool is_datagram() const { return type() == SocketType::kDatagram; }
  Result<void> autobind();
  Result<RefPtr<UnixSocket>> find_peer(const Address& address);
  Result<void> connect_stream(const Address& address, Waiting waiting);
  Result<void> connect_datagram(const Address& address);
  void set_peer(UnixSocket* peer);  // names lock held
  Result<RefPtr<UnixSocket>> destination(const Message& message);
  bool is_full_for(const UnixSocket& sender) const;  // names lock held
  Result<usize> send_datagram(Message& message);
  Result<usize> receive_datagram(Message& message);
  u32 poll_datagram();

  std::atomic<State> state_{State::kFresh};
  // Connected streams; set once, before state_ becomes kConnected.
  RefPtr<LocalStream> stream_;
  int end_ = 0;

  // Under the names lock.
  Address* name_ = nullptr;       // owned; null while unnamed
  landlock::Holder made_within_;  // its maker's domain
  RefPtr<fs::Inode> inode_;       // of a bound path
  UnixSocket* next_named_ = nullptr;
  u32 bucket_ = 0;
  bool named_ = false;
  Address* peer_name_ = nullptr;  // owned: what accept and connect saw
  PeerCredentials peer_credentials_;
  PeerCredentials own_credentials_;  // at listen(2)

  // Listening.
  u32 backlog_ = 0;
  u32 pending_count_ = 0;
  ListNode pending_node_;
  List<UnixSocket, &UnixSocket::pending_node_> pending_;

  // Datagrams.
  PacketList queue_in_;
  usize queued_ = 0, charge_ = 0, bytes_ = 0;
  UnixSocket* peer_ = nullptr;  // borrowed: the peer unlinks its senders when it dies
  ListNode sender_node_;
  List<UnixSocket, &UnixSocket::sender_node_> senders_;
  bool read_shut_ = false, write_shut_ = false, peer_died_ = false;
  bool sender_waits_ = false;  // someone found the queue full
  Mutex reader_;
  RefPtr<UnixDoor> door_;

  // Its own travels in SCM_RIGHTS (flight.cpp).
  std::atomic<u32> travels_{0};  // references that do
  ListNode flight_node_, search_node_;
  u32 unexplained_ = 0;  // of them, those that the search has not found in a queue
  bool suspect_ = false;
};

}  // namespace uni::net
