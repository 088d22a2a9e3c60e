// SPDX-License-Identifier: Apache-2.0
// Local streams. A writer copies the program's bytes into a packet before it takes the lock; a reader copies them out
// while it holds the direction's reader mutex only. Refuses: out-of-band data (NotSupported is the caller's business).
// Invariant: a packet on a queue is changed at its front by the reader only, at its end by writers, both under lock_.
#include "kernel/net/local_stream.hpp"

namespace uni::net {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand;
constexpr u32 kAllBits = kReadBits | kWriteBits | fs::kPollRdHup | fs::kPollHup | fs::kPollErr;
// Writes up to this size join the packet in front of them.
constexpr u32 kMergeMax = 512;
// A writer that waits is woken when this little is left, so that each switch moves much.
constexpr usize kWakeBelow = 64 * kKiB;

}  // namespace

LocalStream::~LocalStream() {
  for (Direction& d : to_)
    destroy_all(d.queue);
}

void LocalStream::attach(int end, Socket& socket) {
  LockGuard guard(lock_);
  sockets_[end] = &socket;
}

// May `end` send now? False where it must wait for room. Errors: what send(2) gives.
Result<bool> LocalStream::check_writable(int end, Socket& socket, u32 send_limit) {
  if (socket.has_error()) {
    const Errno e = socket.take_error();
    if (e != Errno{}) return e;
  }
  LockGuard guard(lock_);
  Direction& out = to_[1 - end];
  if (out.write_shut) return Errno::Pipe;
  if (flavour_ != StreamFlavour::kTcp && (out.read_shut || out.reader_gone)) return Errno::Pipe;
  if (out.reader_gone || out.charge < send_limit) return true;
  out.writer_waits = true;
  return false;
}

// Puts a filled packet on the way to the other end; gives its size.
Result<usize> LocalStream::queue_packet(int end, PacketPtr packet, Message& message, bool may_merge) {
  LockGuard guard(lock_);
  Direction& out = to_[1 - end];
  const usize size = packet->size;
  if (out.write_shut) return Errno::Pipe;
  if (out.reader_gone || (flavour_ != StreamFlavour::kTcp && out.read_shut)) {
    if (flavour_ != StreamFlavour::kTcp) return Errno::Pipe;
    // The first segment to a closed peer goes out; its answer is a reset (RFC 9293, 3.10.7.1).
    out.write_shut = true;
    to_[end].write_shut = true;
    if (sockets_[end] != nullptr) {
      sockets_[end]->set_error(Errno::Pipe);
      sockets_[end]->wake(kAllBits);
    }
    return size;
  }
  if (message.rights) packet->rights = uni::move(message.rights);
  Packet* last = out.queue.back();
  if (may_merge && last != nullptr && size <= kMergeMax && last->capacity - last->size >= size && !last->rights &&
      !packet->rights && last->credentials == packet->credentials) {
    __builtin_memcpy(last->data + last->size, packet->data, size);
    last->size += static_cast<u32>(size);
  } else {
    out.charge += packet->charge;
    out.queue.push_back(*packet.release());
  }
  out.bytes += size;
  if (sockets_[1 - end] != nullptr) sockets_[1 - end]->wake(kReadBits);
  return size;
}

Result<usize> LocalStream::send(int end, Socket& socket, Message& message, u64 timeout_ns, u32 send_limit) {
  usize sent = 0;
  if (is_message() && message.data.remaining() > send_limit) return Errno::MessageSize;
  const bool unix_end = flavour_ != StreamFlavour::kTcp;
  for (;;) {
    bool writable = false;
    Errno failure{};
    const Result<void> waited = socket.wait_until(message.flags, timeout_ns, [&] {
      Result<bool> r = check_writable(end, socket, send_limit);
      if (!r.ok()) failure = r.error();
      writable = r.ok() && r.take();
      return writable || failure != Errno{};
    });
    if (failure != Errno{}) return sent > 0 ? Result<usize>(sent) : Result<usize>(failure);
    if (!waited.ok()) return sent > 0 ? Result<usize>(sent) : Result<usize>(waited.error());

    const usize left = message.data.remaining();
    if (left == 0 && !is_message()) return sent;
    PacketPtr packet(Packet::create(is_message() ? max<usize>(left, 1) : min(left, Packet::kMaxData)));
    if (!packet || (is_message() && packet->capacity < left)) {
      return sent > 0 ? Result<usize>(sent) : Result<usize>(Errno::NoBuffers);
    }
    const usize wanted = min<usize>(left, packet->capacity);
    if (wanted > 0) {
      Result<usize> taken = message.data.take(packet->data, wanted);
      if (!taken.ok()) return sent > 0 ? Result<usize>(sent) : Result<usize>(taken.error());
      packet->size = static_cast<u32>(taken.take());
      if (is_message() && packet->size < wanted) return Errno::Fault;
    }
    if (unix_end) packet->credentials = message.has_credentials ? message.credentials : current_credentials();
    const bool short_copy = packet->size < wanted;
    Result<usize> queued = queue_packet(end, uni::move(packet), message, !is_message());
    if (!queued.ok()) return sent > 0 ? Result<usize>(sent) : Result<usize>(queued.error());
    sent += queued.take();
    if (is_message() || short_copy || message.data.remaining() == 0) return sent;
  }
}

bool LocalStream::readable(int end, const Socket& socket) {
  LockGuard guard(lock_);
  const Direction& in = to_[end];
  return !in.queue.empty() || in.write_shut || in.read_shut || socket.has_error();
}

void LocalStream::deliver_ancillary(Packet& packet, Message& message, bool peek) {
  message.has_credentials = true;
  message.credentials = packet.credentials;
  if (!packet.rights) return;
  if (!peek) {
    message.rights = uni::move(packet.rights);
    return;
  }
  auto copy = make_own<Rights>();
  if (!copy.ok()) return;
  OwnPtr<Rights> rights = copy.take();
  for (const RefPtr<fs::File>& file : packet.rights->files) {
    if (!rights->files.push(file).ok()) return;
  }
  message.rights = uni::move(rights);
}

// Wakes the writer to `end` once half of its buffer is free again. Lock held.
void LocalStream::wake_writer(int end, bool force) {
  Direction& in = to_[end];
  Socket* writer = sockets_[1 - end];
  if (writer == nullptr || (!in.writer_waits && !force)) return;
  in.writer_waits = false;
  writer->wake(kWriteBits);
}

// Copies what is queued, up to `wanted`; the reader mutex is held. Gives 0 where there is nothing.
Result<usize> LocalStream::take_stream(int end, Message& message, usize already, usize wanted) {
  const bool peek = (message.flags & kMsgPeek) != 0;
  Direction& in = to_[end];
  usize copied = 0;
  Packet* at = nullptr;
  bool stop = false;
  while (copied < wanted && !stop) {
    Packet* packet = nullptr;
    usize size = 0;
    {
      LockGuard guard(lock_);
      packet = at == nullptr ? in.queue.front() : in.queue.next(*at);
      if (packet != nullptr) size = packet->size;
    }
    if (packet == nullptr) break;
    if (copied + already > 0 && flavour_ != StreamFlavour::kTcp && message.has_credentials &&
        !(packet->credentials == message.credentials)) {
      break;  // bytes of different senders are told apart (unix(7), SO_PASSCRED)
    }
    const usize part = min(size, wanted - copied);
    Result<usize> put = message.data.put(packet->data, part);
    if (!put.ok()) return copied > 0 ? Result<usize>(copied) : Result<usize>(put.error());
    const usize done = put.take();
    copied += done;
    stop = done < part || static_cast<bool>(packet->rights);
    if (flavour_ != StreamFlavour::kTcp) deliver_ancillary(*packet, message, peek);
    if (peek) {
      at = packet;
      continue;
    }
    PacketPtr finished;
    {
      LockGuard guard(lock_);
      packet->data += done;
      packet->size -= static_cast<u32>(done);
      packet->capacity -= static_cast<u32>(done);
      in.bytes -= done;
      if (packet->size == 0) {
        in.queue.remove(*packet);
        in.charge -= packet->charge;
        finished = PacketPtr(packet);
        if (in.writer_waits && in.charge <= kWakeBelow) wake_writer(end, false);
      }
    }
  }
  return copied;
}

// One whole message; the reader mutex is held. Errors: NoMessage (nothing is queued).
Result<usize> LocalStream::take_message(int end, Message& message) {
  const bool peek = (message.flags & kMsgPeek) != 0;
  Direction& in = to_[end];
  Packet* packet = nullptr;
  {
    LockGuard guard(lock_);
    packet = in.queue.front();
  }
  if (packet == nullptr) return Errno::NoMessage;
  const usize whole = packet->size;
  const usize part = min<usize>(whole, message.data.remaining());
  if (part > 0) {
    Result<usize> put = message.data.put(packet->data, part);
    if (!put.ok()) return put;
    if (put.take() < part) return Errno::Fault;
  }
  if (part < whole) message.out_flags |= kMsgTrunc;
  message.out_flags |= kMsgEor;
  deliver_ancillary(*packet, message, peek);
  if (!peek) {
    PacketPtr finished(packet);
    LockGuard guard(lock_);
    in.queue.remove(*packet);
    in.charge -= packet->charge;
    in.bytes -= whole;
    wake_writer(end, false);
  }
  return (message.flags & kMsgTrunc) != 0 ? whole : part;
}

Result<usize> LocalStream::receive(int end, Socket& socket, Message& message, u64 timeout_ns) {
  const usize wanted = message.data.remaining();
  const bool peek = (message.flags & kMsgPeek) != 0;
  if (wanted == 0 && !is_message()) return usize{0};
  usize total = 0;
  for (;;) {
    {
      LockGuard reading(to_[end].reader);
      if (is_message()) {
        Result<usize> r = take_message(end, message);
        if (r.ok() || r.error() != Errno::NoMessage) return r;
      } else {
        Result<usize> r = take_stream(end, message, total, wanted - total);
        if (!r.ok()) return total > 0 ? Result<usize>(total) : Result<usize>(r.error());
        total += r.take();
      }
    }
    const bool wait_all = (message.flags & kMsgWaitAll) != 0 && !peek;
    if (total > 0 && (!wait_all || total == wanted || message.rights)) return total;
    bool closed = false;
    {
      LockGuard guard(lock_);
      closed = to_[end].queue.empty() && (to_[end].write_shut || to_[end].read_shut);
    }
    if (total == 0 && socket.has_error()) {
      const Errno e = socket.take_error();
      // After a reset by TCP a pending EPIPE is the sender's; a reader sees end-of-file.
      if (e != Errno{} && e != Errno::Pipe) return e;
    }
    if (closed || (total > 0 && socket.has_error())) return total;
    const Result<void> waited = socket.wait_until(message.flags, timeout_ns, [&] { return readable(end, socket); });
    if (!waited.ok()) return total > 0 ? Result<usize>(total) : Result<usize>(waited.error());
  }
}

void LocalStream::shutdown(int end, ShutdownHow how) {
  LockGuard guard(lock_);
  if (how != ShutdownHow::kRead) to_[1 - end].write_shut = true;
  if (how != ShutdownHow::kWrite) to_[end].read_shut = true;
  for (Socket* s : sockets_) {
    if (s != nullptr) s->wake(kAllBits);
  }
}

void LocalStream::close(int end, bool reset) {
  PacketList unread;
  {
    LockGuard guard(lock_);
    Direction& in = to_[end];
    Direction& out = to_[1 - end];
    Socket* peer = sockets_[1 - end];
    const bool lost = !in.queue.empty() || reset;
    while (Packet* p = in.queue.pop_front())
      unread.push_back(*p);
    in.charge = in.bytes = 0;
    in.reader_gone = true;
    in.read_shut = true;
    out.write_shut = true;
    if (lost) in.write_shut = true;
    sockets_[end] = nullptr;
    if (peer != nullptr) {
      if (lost) peer->set_error(Errno::ConnectionReset);
      peer->wake(kAllBits);
    }
  }
  destroy_all(unread);
}

u32 LocalStream::poll(int end, u32 send_limit) {
  LockGuard guard(lock_);
  const Direction& in = to_[end];
  Direction& out = to_[1 - end];
  const bool tcp = flavour_ == StreamFlavour::kTcp;
  const bool receive_shut = in.write_shut || in.read_shut;
  const bool send_shut = out.write_shut || (!tcp && (out.read_shut || out.reader_gone));
  u32 bits = 0;
  if (receive_shut && send_shut) bits |= fs::kPollHup;
  if (receive_shut) bits |= fs::kPollRdHup | kReadBits;
  if (!in.queue.empty()) bits |= kReadBits;
  if ((tcp && send_shut) || out.charge < send_limit) {
    bits |= tcp ? fs::kPollOut | fs::kPollWrNorm : kWriteBits;
  } else {
    out.writer_waits = true;
  }
  return bits;
}

usize LocalStream::readable_bytes(int end) {
  LockGuard guard(lock_);
  if (is_message()) return to_[end].queue.empty() ? 0 : to_[end].queue.front()->size;
  return to_[end].bytes;
}

usize LocalStream::unsent_bytes(int end) {
  LockGuard guard(lock_);
  return flavour_ == StreamFlavour::kTcp ? 0 : to_[1 - end].charge;
}

bool LocalStream::peer_closed(int end) {
  LockGuard guard(lock_);
  return to_[1 - end].reader_gone;
}

}  // namespace uni::net
