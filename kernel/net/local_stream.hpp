// SPDX-License-Identifier: Apache-2.0
// A connected stream between two sockets of this machine: AF_UNIX stream and seqpacket, and TCP to an address of our
// own. Data goes from the writer's memory into packets and from those into the reader's: no protocol, no checksum, no
// timers. Locking: `lock_` guards all but the reader mutexes, which serialise readers while they copy to the program.
#pragma once

#include "kernel/net/socket.hpp"

namespace uni::net {

// How the ends behave where AF_UNIX and TCP differ.
enum class StreamFlavour : u8 { kUnixStream, kUnixSeqPacket, kTcp };

class LocalStream : public RefCounted {
 public:
  explicit LocalStream(StreamFlavour flavour) : flavour_(flavour) {}

  // Ties an end (0 or 1) to its socket. The socket calls close() before it dies.
  void attach(int end, Socket& socket);

  // What the end's socket does. wait tells how to wait: the socket's own non-blocking flag and timeouts apply.
  Result<usize> send(int end, Socket& socket, Message& message, u64 timeout_ns, u32 send_limit);
  Result<usize> receive(int end, Socket& socket, Message& message, u64 timeout_ns);
  void shutdown(int end, ShutdownHow how);
  // What is queued for `end`, under the lock; and takes it all off. For ends that nobody reads (flight.hpp).
  template <typename Visit>
  void each_packet(int end, Visit visit) {
    LockGuard guard(lock_);
    for (Packet& packet : to_[end].queue)
      visit(packet);
  }
  void take_all(int end, PacketList& out);
  // The socket goes away. `reset`: as after SO_LINGER 0.
  void close(int end, bool reset);
  u32 poll(int end, u32 send_limit);
  usize readable_bytes(int end);
  usize unsent_bytes(int end);
  bool peer_closed(int end);
  // Will the end, or the other one, send no more? What is queued can still be read.
  struct Ended {
    bool self, peer;
    bool both() const { return self && peer; }
  };
  Ended ended(int end);
  // Is what would be read next the urgent byte, or what lies behind it once it was taken? (SIOCATMARK)
  bool at_mark(int end);

 private:
  // The data that flows to one end.
  struct Direction {
    PacketList queue;
    usize charge = 0;         // memory queued
    usize bytes = 0;          // data queued
    bool write_shut = false;  // its writer will send no more: end-of-file after what is queued
    bool read_shut = false;   // its reader takes no more
    bool reader_gone = false;
    bool writer_waits = false;
    // The newest byte of out-of-band data, on the queue where it stands in the stream; null once a reader passed it.
    Packet* urgent = nullptr;
    bool urgent_taken = false;  // by MSG_OOB
    Mutex reader;
  };
  ~LocalStream() override;

  static void drain(Direction& in, PacketList& out);
  bool is_message() const { return flavour_ == StreamFlavour::kUnixSeqPacket; }
  Result<usize> queue_packet(int end, PacketPtr packet, Message& message, bool may_merge);
  Result<bool> check_writable(int end, Socket& socket, u32 send_limit);
  bool readable(int end, const Socket& socket);
  Result<usize> take_urgent(int end, Socket& socket, Message& message);
  bool pass_urgent(int end, Packet& packet, bool peek);
  usize waiting_bytes(const Direction& in, bool inline_urgent) const;
  Result<usize> take_stream(int end, const Socket& socket, Message& message, usize already, usize wanted);
  Result<usize> take_message(int end, Message& message);
  void deliver_ancillary(Packet& packet, Message& message, bool peek);
  void wake_writer(int end, bool force);

  SpinLock lock_{Rank::kSocket};
  StreamFlavour flavour_;
  Direction to_[2];
  Socket* sockets_[2] = {nullptr, nullptr};
};

}  // namespace uni::net
