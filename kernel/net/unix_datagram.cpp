// SPDX-License-Identifier: Apache-2.0
// AF_UNIX datagrams: each socket has one queue of whole messages. A sender waits while its peer's queue is full; the
// peer wakes its connected senders, and whoever waits at its door, when it has taken a message or is closed.
#include "kernel/net/flight.hpp"
#include "kernel/net/unix_names.hpp"

namespace uni::net {

namespace {

constexpr usize kQueueMax = 11;  // net.unix.max_dgram_qlen is 10, and one more is let in
constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand;

}  // namespace

void UnixSocket::set_peer(UnixSocket* peer) {
  if (peer_ != nullptr) sender_node_.unlink();
  peer_ = peer;
  peer_died_ = false;
  if (peer != nullptr) peer->senders_.push_back(*this);
}

// Two sockets that are each other's peer are limited by bytes, others by messages (Linux's unix_dgram_sendmsg).
bool UnixSocket::is_full_for(const UnixSocket& sender) const {
  if (peer_ == &sender) return charge_ >= sender.send_buffer_;
  return queued_ >= kQueueMax || charge_ >= receive_buffer_ * 4ull;
}

Result<void> UnixSocket::connect_datagram(const Address& address) {
  if (address.family == AddressFamily::kNone) {
    LockGuard guard(g_unix_lock);
    set_peer(nullptr);
    return {};
  }
  RefPtr<UnixSocket> peer = TRY(find_peer(address));
  LockGuard guard(g_unix_lock);
  if (peer->peer_ != nullptr && peer->peer_ != this) return Errno::NotPermitted;
  set_peer(peer.get());
  wake(kWriteBits);
  return {};
}

Result<RefPtr<UnixSocket>> UnixSocket::destination(const Message& message) {
  if (message.to != nullptr) return find_peer(*message.to);
  LockGuard guard(g_unix_lock);
  if (peer_ == nullptr) {
    if (!peer_died_) return Errno::NotConnected;
    peer_died_ = false;
    return Errno::ConnectionRefused;
  }
  if (!peer_->try_ref()) return Errno::ConnectionRefused;
  return RefPtr<UnixSocket>::adopt(peer_);
}

Result<usize> UnixSocket::send_datagram(Message& message) {
  const usize size = message.data.remaining();
  if (size > send_buffer_) return Errno::MessageSize;
  if (pass_credentials_ && name_ == nullptr) TRY(autobind());
  RefPtr<UnixSocket> to = TRY(destination(message));
  PacketPtr packet(Packet::create(max<usize>(size, 1)));
  if (!packet || packet->capacity < size) return Errno::NoBuffers;
  if (size > 0) {
    if (TRY(message.data.take(packet->data, size)) < size) return Errno::Fault;
  }
  packet->size = static_cast<u32>(size);
  packet->credentials = message.has_credentials ? message.credentials : current_credentials();
  if (message.rights) TRY(flight::take_off(*message.rights));
  packet->rights = uni::move(message.rights);
  {
    LockGuard guard(g_unix_lock);
    if (name_ != nullptr) packet->from = new (std::nothrow) Address(*name_);
  }
  if (!to->filter().empty()) {
    PacketSource source({}, packet->data, packet->size);
    const u32 keep = to->filter().run(source);
    if (keep == 0) return size;  // dropped, which the sender does not see
    packet->size = min(packet->size, keep);
  }
  for (;;) {
    RefPtr<UnixDoor> door;
    {
      LockGuard guard(g_unix_lock);
      if (write_shut_) return Errno::Pipe;
      if (to->peer_ != nullptr && to->peer_ != this) return Errno::NotPermitted;
      if (to->read_shut_) return Errno::Pipe;
      if (!to->is_full_for(*this)) {
        packet->time_ns = to->stamp();
        ++to->queued_;
        to->charge_ += packet->charge;
        to->bytes_ += size;
        to->queue_in_.push_back(*packet.release());
        to->wake(kReadBits);
        return size;
      }
      to->sender_waits_ = true;
      door = to->door_;
    }
    if (nonblocking() || (message.flags & kMsgDontWait) != 0) return Errno::Again;
    const u64 deadline = send_timeout_ == 0 ? time::kNever : time::deadline_after(send_timeout_);
    to = {};
    const Wake woken = door->queue.wait(
        [&] {
          LockGuard guard(g_unix_lock);
          UnixSocket* s = door->socket;
          if (s == nullptr || write_shut_) return true;
          s->sender_waits_ = true;
          return !s->is_full_for(*this) || s->read_shut_;
        },
        deadline);
    TRY(waited(woken, send_timeout_));
    to = TRY(destination(message));  // another socket may have the name by now
  }
}

Result<usize> UnixSocket::receive_datagram(Message& message) {
  const bool peek = (message.flags & kMsgPeek) != 0;
  for (;;) {
    {
      LockGuard reading(reader_);
      Packet* packet = nullptr;
      {
        LockGuard guard(g_unix_lock);
        packet = queue_in_.front();
      }
      if (packet != nullptr) {
        PacketPtr taken;
        if (!peek) {
          LockGuard guard(g_unix_lock);
          queue_in_.remove(*packet);
          taken = PacketPtr(packet);
          --queued_;
          charge_ -= packet->charge;
          bytes_ -= packet->size;
          if (sender_waits_) {
            sender_waits_ = false;
            door_->queue.wake_all();
            for (UnixSocket& sender : senders_)
              sender.wake(kWriteBits);
          }
        }
        const usize part = min<usize>(packet->size, message.data.remaining());
        if (part > 0 && TRY(message.data.put(packet->data, part)) < part) return Errno::Fault;
        if (part < packet->size) message.out_flags |= kMsgTrunc;
        if (message.from != nullptr) {
          if (packet->from != nullptr)
            *message.from = *packet->from;
          else
            message.from->family = AddressFamily::kNone;
        }
        message.has_credentials = true;
        message.credentials = packet->credentials;
        message.time_ns = packet->time_ns;
        if (packet->rights && !peek) message.rights = uni::move(packet->rights);
        return (message.flags & kMsgTrunc) != 0 ? usize{packet->size} : part;
      }
    }
    const Errno error = take_error();
    if (error != Errno{}) return error;
    if (read_shut_) return usize{0};
    TRY(wait_until(message.flags, receive_timeout_, [&] {
      LockGuard guard(g_unix_lock);
      return !queue_in_.empty() || read_shut_ || has_error();
    }));
  }
}

u32 UnixSocket::poll_datagram() {
  LockGuard guard(g_unix_lock);
  u32 bits = has_error() ? u32{fs::kPollErr} : 0;
  if (read_shut_) bits |= fs::kPollRdHup | kReadBits;
  if (read_shut_ && write_shut_) bits |= fs::kPollHup;
  if (!queue_in_.empty()) bits |= kReadBits;
  if (peer_ != nullptr && peer_->is_full_for(*this)) {
    peer_->sender_waits_ = true;
  } else {
    bits |= kWriteBits;
  }
  return bits;
}

}  // namespace uni::net
