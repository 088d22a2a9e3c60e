// SPDX-License-Identifier: Apache-2.0
// One port of the virtio console (virtio 1.1, 5.3): two queues, buffers of one page each, made when first used.
//
// Bytes are copied between the program and pages of ours, never under the queues' spin locks. A write of up to a page
// is one buffer, so concurrent small writes do not mix (as pipe(7) promises for PIPE_BUF).
#pragma once

#include <atomic>

#include "kernel/dev/virtio/transport.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::dev::console {

class Port {
 public:
  explicit Port(u32 id) : id_(id) {}

  u32 id() const { return id_; }
  StringView name() const { return {name_, name_size_}; }
  void set_name(StringView name);

  // The host's side: connected now, or ever. Told by the control queue.
  bool host_open() const { return host_open_.load(std::memory_order_acquire); }
  bool host_gone() const { return !host_open() && was_open_.load(std::memory_order_acquire); }
  void set_host_open(bool open);

  // Starts the receive or transmit queue if that has not been done. May allocate. Errors: NoDevice, NoMemory.
  Result<void> start_receive(virtio::Transport& transport);
  Result<void> start_transmit(virtio::Transport& transport);

  enum class Wait : u8 { kNo, kYes };
  // Queues bytes for the host, in order; gives how many. Needs start_transmit. Blocks, where it may, while the host
  // does not take them. Errors: Again, RestartSys, Pipe (the host closed), Fault, NoMemory.
  Result<usize> write(IoCursor& from, Wait wait);
  // Queues bytes of the kernel as far as there is room; gives how many. Does not block; from interrupts too.
  usize write_some(Span<const u8> bytes);
  // Takes received bytes; 0 is end-of-file. Errors: Again, RestartSys, Fault.
  Result<usize> read(IoCursor& to, Wait wait);
  // Hands every received byte to `sink`. Does not block; from interrupts too, by one caller.
  void take_all(void (*sink)(void* context, Span<const u8> bytes), void* context);

  // Are there bytes, or is there end-of-file? How many bytes have been fetched from the device?
  bool read_ready();
  usize readable_bytes();
  bool write_ready();
  // Blocks until the host has all bytes that were queued. False where the deadline (monotonic ns) came first.
  bool drain(u64 deadline);
  // The same by looking, for when nothing can be waited for any more.
  bool drained();

  // Woken with poll bits for received bytes, room, and the host's opening and closing.
  WaitQueue changed;
  // From the device's interrupt.
  void on_interrupt();

 private:
  static constexpr usize kReceiveBuffers = 4;
  static constexpr usize kTransmitBuffers = 16;
  static constexpr u16 kQueueSize = 32;

  struct Chunk {
    mm::Page* page;
    u32 at, end;
  };
  void fetch();          // needs: receive_.lock; used buffers -> chunks_
  void post(mm::Page&);  // needs: receive_.lock
  void drop_front();     // needs: receive_.lock; gives the emptied first chunk back to the device
  void reap();           // needs: transmit_.lock; finished buffers -> spare_
  mm::Page* take_spare();
  void queue(mm::Page& page, usize size);

  const u32 id_;
  char name_[32] = {};
  usize name_size_ = 0;
  std::atomic<bool> host_open_{false}, was_open_{false};

  Mutex reading_;  // one reader copies at a time
  Mutex starting_;
  virtio::Queue receive_;
  Chunk chunks_[kReceiveBuffers] = {};
  usize first_chunk_ = 0, chunk_count_ = 0;

  virtio::Queue transmit_;
  mm::Page* spare_[kTransmitBuffers] = {};
  usize spare_count_ = 0, buffer_count_ = 0, most_buffers_ = kTransmitBuffers;
};

}  // namespace uni::dev::console
