// SPDX-License-Identifier: Apache-2.0
// Out-of-band data over the wire (tcp(7), RFC 6093): one byte of the stream is urgent, the one before the pointer, as
// Linux has it. lwIP passes it on as data; where it is in the stream is kept here, by sequence numbers.
#include "kernel/fs/async_io.hpp"
#include "kernel/net/tcp_socket.hpp"
#include "lwip/pbuf.h"

namespace uni::net {

void TcpSocket::urgent_told(u32 behind) {
  const u32 sequence = behind - 1;
  // What was read already, or told already, is no news (tcp_check_urg).
  if (static_cast<i32>(sequence - wire_read_sequence()) < 0) return;
  if (urgent_ && static_cast<i32>(sequence - urgent_sequence_) <= 0) return;
  urgent_ = true;
  urgent_taken_ = false;
  urgent_sequence_ = sequence;
  fs::tell_urgent(*this);
}

usize TcpSocket::wire_mark() const {
  if (!urgent_) return kNoMark;
  const u32 distance = urgent_sequence_ - wire_read_sequence();
  return distance < rx_bytes_ ? distance : kNoMark;
}

usize TcpSocket::wire_readable() const {
  return rx_bytes_ - (wire_mark() == 0 && !oob_inline() ? 1 : 0);
}

bool TcpSocket::at_mark() {
  if (state() != State::kConnected) return false;
  if (is_local()) return stream_->at_mark(end_);
  CoreGuard guard;
  return urgent_ && urgent_sequence_ == wire_read_sequence();
}

Result<usize> TcpSocket::wire_take_urgent(Message& message) {
  u8 byte = 0;
  {
    CoreGuard guard;
    if (oob_inline() || !urgent_ || urgent_taken_) return Errno::Invalid;
    const usize mark = wire_mark();
    if (mark == kNoMark) return rx_end_ || read_shut_ ? Result<usize>(usize{0}) : Result<usize>(Errno::Again);
    usize left = mark;
    const pbuf* at = rx_head_;
    while (left >= at->len) {
      left -= at->len;
      at = at->next;
    }
    byte = static_cast<const u8*>(at->payload)[left];
    if ((message.flags & kMsgPeek) == 0) urgent_taken_ = true;
  }
  message.out_flags |= kMsgOob;
  if (message.data.remaining() == 0) {
    message.out_flags |= kMsgTrunc;
    return usize{0};
  }
  if ((message.flags & kMsgTrunc) == 0 && TRY(message.data.put(&byte, 1)) != 1) return Errno::Fault;
  return usize{1};
}

}  // namespace uni::net
