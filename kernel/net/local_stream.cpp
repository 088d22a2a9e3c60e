// SPDX-License-Identifier: Apache-2.0
// Local streams. A writer copies the program's bytes into a packet before it takes the lock; a reader copies them out
// while it holds the direction's reader mutex only. A byte of out-of-band data is a packet of its own in its place.
// Invariant: a packet on a queue is changed at its front by the reader only, at its end by writers, both under lock_.
#include "kernel/net/local_stream.hpp"

#include "kernel/fs/async_io.hpp"

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
  if (packet->urgent) {
    // An older one that nobody took becomes data like any other.
    if (out.urgent != nullptr) out.urgent->urgent = false;
    out.urgent = packet.get();
    out.urgent_taken = false;
    if (sockets_[1 - end] != nullptr) {
      fs::tell_urgent(*sockets_[1 - end]);
      sockets_[1 - end]->wake(fs::kPollPri);
    }
  }
  if (may_merge && last != nullptr && !last->urgent && !packet->urgent && size <= kMergeMax &&
      last->capacity - last->size >= size && !last->rights && !packet->rights &&
      last->credentials == packet->credentials) {
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
    // The last byte of what is sent with MSG_OOB is the urgent one.
    const bool out_of_band = (message.flags & kMsgOob) != 0;
    const usize most = out_of_band && left > 1 ? left - 1 : left;
    PacketPtr packet(Packet::create(is_message() ? max<usize>(left, 1) : min(left, Packet::kMaxData)));
    if (!packet || (is_message() && packet->capacity < left)) {
      return sent > 0 ? Result<usize>(sent) : Result<usize>(Errno::NoBuffers);
    }
    const usize wanted = min<usize>(most, packet->capacity);
    if (wanted > 0) {
      Result<usize> taken = message.data.take(packet->data, wanted);
      if (!taken.ok()) return sent > 0 ? Result<usize>(sent) : Result<usize>(taken.error());
      packet->size = static_cast<u32>(taken.take());
      if (is_message() && packet->size < wanted) return Errno::Fault;
    }
    if (unix_end) packet->credentials = message.has_credentials ? message.credentials : current_credentials();
    const bool short_copy = packet->size < wanted;
    packet->urgent = out_of_band && left == 1 && !short_copy;
    Result<usize> queued = queue_packet(end, uni::move(packet), message, !is_message());
    if (!queued.ok()) return sent > 0 ? Result<usize>(sent) : Result<usize>(queued.error());
    sent += queued.take();
    if (is_message() || short_copy || message.data.remaining() == 0) return sent;
  }
}

// What a reader can have now; the urgent byte is no data unless SO_OOBINLINE makes it so.
usize LocalStream::waiting_bytes(const Direction& in, bool inline_urgent) const {
  return in.bytes - (in.urgent != nullptr && !inline_urgent ? 1 : 0);
}

bool LocalStream::readable(int end, const Socket& socket) {
  LockGuard guard(lock_);
  const Direction& in = to_[end];
  if (in.write_shut || in.read_shut || socket.has_error()) return true;
  if (is_message()) return !in.queue.empty();
  return waiting_bytes(in, socket.oob_inline()) != 0;
}

bool LocalStream::at_mark(int end) {
  LockGuard guard(lock_);
  const Direction& in = to_[end];
  return in.urgent != nullptr && in.queue.front() == in.urgent;
}

// MSG_OOB. Errors: Invalid (there is none, or it is inline), Fault.
Result<usize> LocalStream::take_urgent(int end, Socket& socket, Message& message) {
  LockGuard reading(to_[end].reader);
  u8 byte = 0;
  {
    LockGuard guard(lock_);
    Direction& in = to_[end];
    if (socket.oob_inline() || in.urgent == nullptr || in.urgent_taken) return Errno::Invalid;
    byte = in.urgent->data[0];
    if ((message.flags & kMsgPeek) == 0) in.urgent_taken = true;
  }
  message.out_flags |= kMsgOob;
  if (message.data.remaining() == 0) return usize{0};
  return message.data.put(&byte, 1);
}

// The reader comes to the urgent byte with nothing read yet: it is stepped over. True where it was taken off the queue.
bool LocalStream::pass_urgent(int end, Packet& packet, bool peek) {
  if (peek) return false;
  PacketPtr finished;
  LockGuard guard(lock_);
  Direction& in = to_[end];
  in.urgent = nullptr;
  in.queue.remove(packet);
  in.charge -= packet.charge;
  in.bytes -= packet.size;
  finished = PacketPtr(&packet);
  return true;
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
Result<usize> LocalStream::take_stream(int end, const Socket& socket, Message& message, usize already, usize wanted) {
  const bool peek = (message.flags & kMsgPeek) != 0;
  Direction& in = to_[end];
  usize copied = 0;
  Packet* at = nullptr;
  bool stop = false;
  while (copied < wanted && !stop) {
    Packet* packet = nullptr;
    usize size = 0;
    bool urgent = false;
    {
      LockGuard guard(lock_);
      packet = at == nullptr ? in.queue.front() : in.queue.next(*at);
      if (packet != nullptr) size = packet->size;
      urgent = packet != nullptr && packet == in.urgent;
    }
    if (packet == nullptr) break;
    if (urgent) {
      // The mark ends a read; one that begins at it goes on behind it.
      if (copied + already > 0) break;
      if (!socket.oob_inline()) {
        if (!pass_urgent(end, *packet, peek)) at = packet;
        continue;
      }
    }
    if (copied + already > 0 && flavour_ != StreamFlavour::kTcp && message.has_credentials &&
        !(packet->credentials == message.credentials)) {
      break;  // bytes of different senders are told apart (unix(7), SO_PASSCRED)
    }
    const usize part = min(size, wanted - copied);
    usize done = part;
    if (flavour_ == StreamFlavour::kTcp && (message.flags & kMsgTrunc) != 0) {
      message.data.skip(part);  // the bytes are dropped (tcp(7))
    } else {
      Result<usize> put = message.data.put(packet->data, part);
      if (!put.ok()) return copied > 0 ? Result<usize>(copied) : Result<usize>(put.error());
      done = put.take();
    }
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
        if (in.urgent == packet) in.urgent = nullptr;
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
  if ((message.flags & kMsgOob) != 0) return take_urgent(end, socket, message);
  const usize wanted = message.data.remaining();
  const bool peek = (message.flags & kMsgPeek) != 0;
  if (wanted == 0 && !is_message()) return usize{0};
  const usize target = socket.receive_target(message, wanted);
  usize total = 0;
  for (;;) {
    {
      LockGuard reading(to_[end].reader);
      if (is_message()) {
        Result<usize> r = take_message(end, message);
        if (r.ok() || r.error() != Errno::NoMessage) return r;
      } else {
        Result<usize> r = take_stream(end, socket, message, total, wanted - total);
        if (!r.ok()) return total > 0 ? Result<usize>(total) : Result<usize>(r.error());
        total += r.take();
      }
    }
    if (total > 0 && (total >= target || peek || message.rights)) return total;
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
    if (closed || (total > 0 && (socket.has_error() || at_mark(end)))) return total;
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

// Needs lock_.
void LocalStream::drain(Direction& in, PacketList& out) {
  while (Packet* p = in.queue.pop_front())
    out.push_back(*p);
  in.charge = in.bytes = 0;
  in.urgent = nullptr;
}

void LocalStream::take_all(int end, PacketList& out) {
  LockGuard guard(lock_);
  drain(to_[end], out);
}

void LocalStream::close(int end, bool reset) {
  PacketList unread;
  {
    LockGuard guard(lock_);
    Direction& in = to_[end];
    Direction& out = to_[1 - end];
    Socket* peer = sockets_[1 - end];
    const bool lost = !in.queue.empty() || reset;
    drain(in, unread);
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
  const Socket* reader = sockets_[end];
  const bool inline_urgent = reader != nullptr && reader->oob_inline();
  const usize waiting = is_message() ? (in.queue.empty() ? 0 : 1) : waiting_bytes(in, inline_urgent);
  // TCP heeds SO_RCVLOWAT here, AF_UNIX does not (tcp_poll, unix_poll).
  const usize least = tcp && reader != nullptr ? reader->receive_low_water() : 1;
  if (waiting != 0 && waiting >= least) bits |= kReadBits;
  if (in.urgent != nullptr && !in.urgent_taken) bits |= fs::kPollPri;
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

LocalStream::Ended LocalStream::ended(int end) {
  LockGuard guard(lock_);
  return {to_[1 - end].write_shut, to_[end].write_shut};
}

bool LocalStream::peer_closed(int end) {
  LockGuard guard(lock_);
  return to_[1 - end].reader_gone;
}

}  // namespace uni::net
