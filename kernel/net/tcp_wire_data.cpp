// SPDX-License-Identifier: Apache-2.0
// Data of TCP over the wire. Sending: the program's bytes are copied once, before the lock, into buffers that have room
// for all headers, and those become the segments. Receiving: the device's own pages wait on the socket and are copied
// to the program outside the lock.
#include "kernel/net/tcp_socket.hpp"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

namespace uni::net {

namespace {

constexpr usize kBatch = 32;              // segments prepared for one hold of the lock
constexpr usize kSegmentMax = 32 * kKiB;  // of data, so that a segment's memory is small
constexpr usize kJoinMax = 512;           // small writes join what is not yet sent
constexpr u32 kConsumedMin = 8 * kKiB;

// Buffers on their way into a connection; frees what is left.
struct Batch {
  pbuf* items[kBatch];
  usize count = 0;
  ~Batch() {
    for (usize i = 0; i < count; ++i) {
      if (items[i] != nullptr) pbuf_free(items[i]);
    }
  }
};

tcp_seg* last_of(tcp_seg* seg) {
  while (seg != nullptr && seg->next != nullptr)
    seg = seg->next;
  return seg;
}

}  // namespace

// Makes a segment of a buffer and appends it to what is to be sent: what tcp_write does, without its copy. Takes the
// buffer on success.
Errno TcpSocket::wire_queue(pbuf* data, bool more, Urgency urgency) {
  tcp_pcb* pcb = pcb_;
  const u16 size = data->tot_len;
  if (size > pcb->snd_buf || pcb->snd_queuelen >= TCP_SND_QUEUELEN) return Errno::Again;
  if (pcb->unsent != nullptr && size <= kJoinMax && urgency == Urgency::kNone) {
    // Behind data that waits (for Nagle, for the window) small writes share a segment.
    const err_t e = tcp_write(pcb, data->payload, size, TCP_WRITE_FLAG_COPY | (more ? TCP_WRITE_FLAG_MORE : 0));
    if (e != ERR_OK) return Errno::Again;
    pbuf_free(data);
    return Errno{};
  }
  tcp_seg* seg = static_cast<tcp_seg*>(memp_malloc(MEMP_TCP_SEG));
  if (seg == nullptr) return Errno::NoBuffers;
  seg->next = nullptr;
  seg->p = data;
  seg->flags = 0;
  seg->len = size;
  if (pbuf_add_header(data, TCP_HLEN) != 0) {
    memp_free(MEMP_TCP_SEG, seg);
    return Errno::NoBuffers;
  }
  seg->tcphdr = static_cast<tcp_hdr*>(data->payload);
  seg->tcphdr->src = lwip_htons(pcb->local_port);
  seg->tcphdr->dest = lwip_htons(pcb->remote_port);
  seg->tcphdr->seqno = lwip_htonl(pcb->snd_lbb);
  TCPH_HDRLEN_FLAGS_SET(seg->tcphdr, TCP_HLEN / 4, more ? 0 : TCP_PSH);
  seg->tcphdr->urgp = 0;
  if (urgency == Urgency::kLastByte) {
    // The pointer is to what follows the urgent byte (RFC 6093, 4).
    TCPH_SET_FLAG(seg->tcphdr, TCP_URG);
    seg->tcphdr->urgp = lwip_htons(size);
  }
  tcp_seg* last = last_of(pcb->unsent);
  if (last == nullptr)
    pcb->unsent = seg;
  else
    last->next = seg;
  pcb->unsent_oversize = 0;
  pcb->snd_lbb += size;
  pcb->snd_buf -= size;
  pcb->snd_queuelen = static_cast<u16>(pcb->snd_queuelen + 1);
  return Errno{};
}

// Sends what a cork held back.
void TcpSocket::wire_flush() {
  if (pcb_ != nullptr) tcp_output(pcb_);
}

Result<usize> TcpSocket::wire_send(Message& message) {
  usize sent = 0;
  if (message.data.remaining() == 0) return sent;
  for (;;) {
    Errno failure{};
    const Result<void> waited = wait_until(message.flags, send_timeout_, [&] {
      if (has_error()) failure = take_error();
      if (failure != Errno{}) return true;
      CoreGuard guard;
      if (pcb_ == nullptr || write_shut_) failure = Errno::Pipe;
      // Small gaps are not filled one by one: poll(2) and a blocked writer wait for a third of the buffer.
      return failure != Errno{} || (pcb_->snd_buf >= min<usize>(message.data.remaining(), TCP_SNDLOWAT) &&
                                    pcb_->snd_queuelen < TCP_SNDQUEUELOWAT);
    });
    if (failure == Errno{} && !waited.ok()) failure = waited.error();
    if (failure != Errno{}) return sent > 0 ? Result<usize>(sent) : Result<usize>(failure);

    LockGuard writing(writer_);
    usize room = 0;
    usize segment = 0;
    {
      CoreGuard guard;
      if (pcb_ == nullptr || write_shut_) continue;
      room = pcb_->snd_buf;
      // Not more than half of the peer's largest window, or it could never be sent whole (tcp_write does the same).
      segment = min<usize>(pcb_->mss, max<u32>(pcb_->snd_wnd_max / 2, 1));
    }
    segment = min(segment, kSegmentMax);
    Batch batch;
    bool bad_page = false;
    while (batch.count < kBatch && room > 0 && message.data.remaining() > 0 && !bad_page) {
      const usize wanted = min(min(segment, room), message.data.remaining());
      pbuf* p = pbuf_alloc(PBUF_TRANSPORT, static_cast<u16>(wanted), PBUF_RAM);
      if (p == nullptr) break;
      batch.items[batch.count++] = p;
      Result<usize> taken = message.data.take(p->payload, wanted);
      const usize got = taken.ok() ? taken.take() : 0;
      bad_page = got < wanted;
      p->len = p->tot_len = static_cast<u16>(got);
      room -= got;
      if (got == 0) {
        --batch.count;
        pbuf_free(p);
      }
    }
    if (batch.count == 0)
      return sent > 0 ? Result<usize>(sent) : Result<usize>(bad_page ? Errno::Fault : Errno::NoBuffers);
    {
      CoreGuard guard;
      if (pcb_ == nullptr || write_shut_) continue;
      const bool corked = cork_ || (message.flags & kMsgMore) != 0;
      const bool more_comes = corked || message.data.remaining() > 0;
      for (usize i = 0; i < batch.count; ++i) {
        const usize size = batch.items[i]->tot_len;
        const bool last = i + 1 == batch.count && message.data.remaining() == 0;
        const bool urgent = last && (message.flags & kMsgOob) != 0;
        failure =
            wire_queue(batch.items[i], more_comes || i + 1 < batch.count, urgent ? Urgency::kLastByte : Urgency::kNone);
        if (failure != Errno{}) break;
        batch.items[i] = nullptr;
        sent += size;
      }
      if (pcb_ != nullptr && consumed_ > 0) wire_consumed(0);
      // A corked connection sends whole segments only; the rest goes after half a second or with the cork.
      const bool whole = pcb_->unsent != nullptr && (pcb_->unsent->next != nullptr || pcb_->unsent->len >= pcb_->mss);
      if (!corked || whole) tcp_output(pcb_);
    }
    if (failure != Errno{}) return sent > 0 ? Result<usize>(sent) : Result<usize>(failure);
    if (bad_page || message.data.remaining() == 0) return sent;
  }
}

// Copies up to `wanted` queued bytes to the program; the reader mutex is held. Gives 0 where there are none.
Result<usize> TcpSocket::wire_copy_out(Message& message, usize wanted) {
  const bool peek = (message.flags & kMsgPeek) != 0;
  const bool discard = (message.flags & kMsgTrunc) != 0;
  pbuf* at = nullptr;
  // At the urgent byte: it is stepped over, unless it is data like others. Before it: reading ends there.
  usize skip = 0;
  {
    CoreGuard guard;
    const usize mark = wire_mark();
    if (mark == 0 && !oob_inline()) skip = 1;
    wanted = min(wanted, rx_bytes_ - skip);
    if (mark != 0 && mark != kNoMark) wanted = min(wanted, mark);
    at = rx_head_;
  }
  usize start = 0;
  if (skip != 0 && at->len == skip)
    at = at->next;
  else
    start = skip;
  // Only readers take buffers off, so the first `wanted` bytes stay where they are.
  usize copied = 0;
  while (copied < wanted) {
    const usize part = min<usize>(at->len - start, wanted - copied);
    if (discard) {
      message.data.skip(part);
      copied += part;
    } else {
      Result<usize> put = message.data.put(static_cast<const u8*>(at->payload) + start, part);
      if (!put.ok()) {
        if (copied == 0) return put.error();
        break;
      }
      const usize done = put.take();
      copied += done;
      if (done < part) break;
    }
    start = 0;
    if (copied < wanted) at = at->next;
  }
  if (peek || copied == 0) return copied;
  const usize gone = copied + skip;
  pbuf* finished = nullptr;
  {
    CoreGuard guard;
    usize left = min(gone, rx_bytes_);
    rx_bytes_ -= left;
    if (wire_mark_within(gone)) urgent_ = false;
    rx_taken_ += static_cast<u32>(gone);
    pbuf** tail = &finished;
    while (rx_head_ != nullptr && left >= rx_head_->len) {
      pbuf* p = rx_head_;
      left -= p->len;
      rx_head_ = p->next;
      p->next = nullptr;
      *tail = p;
      tail = &p->next;
      if (left == 0) break;
    }
    if (rx_head_ == nullptr) {
      rx_tail_ = nullptr;
    } else if (left > 0) {
      rx_head_->payload = static_cast<u8*>(rx_head_->payload) + left;
      rx_head_->len = static_cast<u16>(rx_head_->len - left);
      rx_head_->tot_len = static_cast<u16>(rx_head_->tot_len - left);
    }
    consumed_ += static_cast<u32>(gone);
    if (consumed_ >= kConsumedMin) wire_consumed(0);
  }
  // Off the queue they are ours alone: their pages need no lock.
  while (finished != nullptr) {
    pbuf* p = finished;
    finished = p->next;
    p->next = nullptr;
    pbuf_free(p);
  }
  return copied;
}

Result<usize> TcpSocket::wire_receive(Message& message) {
  const usize wanted = message.data.remaining();
  const usize target = (message.flags & kMsgPeek) != 0 ? 1 : receive_target(message, wanted);
  if (wanted == 0) return usize{0};
  usize total = 0;
  bool polled = false;
  for (;;) {
    {
      LockGuard reading(reader_);
      Result<usize> r = wire_copy_out(message, wanted - total);
      if (!r.ok()) return total > 0 ? Result<usize>(total) : Result<usize>(r.error());
      total += r.take();
    }
    if (total > 0 && (total >= target || at_mark())) return total;
    if (!polled) {
      // The answer may be in the device's ring already.
      polled = true;
      poll_wire();
      CoreGuard guard;
      if (wire_readable() != 0) continue;
    }
    if (total == 0 && has_error()) {
      const Errno e = take_error();
      if (e != Errno{} && e != Errno::Pipe) return e;
    }
    {
      CoreGuard guard;
      if (wire_readable() == 0 && (rx_end_ || read_shut_)) return total;
    }
    const Result<void> waited = wait_until(message.flags, receive_timeout_, [&] {
      CoreGuard guard;
      return wire_readable() != 0 || rx_end_ || read_shut_ || has_error();
    });
    if (!waited.ok()) return total > 0 ? Result<usize>(total) : Result<usize>(waited.error());
  }
}

}  // namespace uni::net
