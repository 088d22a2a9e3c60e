// SPDX-License-Identifier: Apache-2.0
// One datagram of several calls (udp(7), UDP_CORK; send(2), MSG_MORE): it goes where the first of them said, once a
// call comes without MSG_MORE or the option is taken back.
#include "kernel/net/udp_socket.hpp"

namespace uni::net {

namespace {

constexpr usize kLargest = 65507;  // 65535 less IPv4's and UDP's headers

}  // namespace

Result<void> UdpSocket::uncork() {
  OwnPtr<Cork> cork = uni::move(cork_);
  corked_.store(false, std::memory_order_release);
  if (!cork) return {};
  IoCursor data = IoCursor::kernel(cork->data.data(), cork->data.size());
  Message message(data);
  if (cork->named) message.to = &cork->to;
  message.has_packet_info = cork->has_packet_info;
  message.packet_to = cork->packet_to;
  message.packet_interface = cork->packet_interface;
  message.own_ttl = cork->own_ttl;
  message.own_tos = cork->own_tos;
  TRY(send_data(message));
  return {};
}

Result<usize> UdpSocket::send_corked(Message& message) {
  LockGuard corking(cork_lock_);
  if (!cork_) {
    OwnPtr<Cork> fresh = TRY(make_own<Cork>());
    if (message.to != nullptr) {
      fresh->to = TRY(resolve(*message.to));
      fresh->named = true;
      if (fresh->to.port == 0) return Errno::Invalid;
    } else if (!connected_) {
      return Errno::DestinationRequired;
    }
    fresh->has_packet_info = message.has_packet_info;
    fresh->packet_to = message.packet_to;
    fresh->packet_interface = message.packet_interface;
    fresh->own_ttl = message.own_ttl;
    fresh->own_tos = message.own_tos;
    cork_ = uni::move(fresh);
  }
  const usize old = cork_->data.size();
  const usize size = message.data.remaining();
  Result<void> added = old + size > kLargest ? Result<void>(Errno::MessageSize) : cork_->data.resize(old + size);
  if (added.ok() && size > 0) {
    const Result<usize> taken = message.data.take(cork_->data.data() + old, size);
    if (!taken.ok() || taken.value() < size) added = Errno::Fault;
  }
  if (!added.ok()) {
    // All of it is lost (udp_flush_pending_frames).
    cork_ = nullptr;
    corked_.store(cork_option_, std::memory_order_release);
    return added.error();
  }
  corked_.store(true, std::memory_order_release);
  if (cork_option_ || (message.flags & kMsgMore) != 0) return size;
  TRY(uncork());
  return size;
}

Result<void> UdpSocket::set_cork(bool on) {
  LockGuard corking(cork_lock_);
  cork_option_ = on;
  if (!on) return uncork();
  corked_.store(true, std::memory_order_release);
  return {};
}

}  // namespace uni::net
