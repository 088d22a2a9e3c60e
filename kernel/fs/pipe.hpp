// SPDX-License-Identifier: Apache-2.0
// Pipes and fifos (pipe(7)), and packet mode (O_DIRECT, pipe2(2)). The bytes are in a ring of pages that are allocated
// when first reached and kept; an empty ring starts at its first page again, so that small traffic stays in one page.
#pragma once

#include "kernel/fs/vfs.hpp"

namespace uni::fs {

struct InodeExtra;
inline constexpr usize kPipeBuf = 4096;  // writes up to this are not mixed with others

// /proc/sys/fs/pipe-max-size: the largest ring that needs no CAP_SYS_RESOURCE; a power of two.
extern std::atomic<u64> g_largest_pipe;

class Pipe final : public RefCounted {
 public:
  static constexpr usize kDefaultSize = 64 * kKiB;
  // The size that a wish is rounded up to: a power of two, at least a page. Needs: at most 2 GiB.
  static usize rounded(usize size);
  // Of the default size, or what g_largest_pipe leaves to the calling process.
  static Result<RefPtr<Pipe>> create();

  Result<usize> read(IoCursor& to, bool block);
  Result<usize> write(IoCursor& from, bool block);
  // In packet mode: each piece of at most kPipeBuf bytes is read by itself, and what the reader has no room for is
  // lost.
  Result<usize> write_packets(IoCursor& from, bool block);
  // Like read, but leaves the bytes in the pipe: tee(2). Does not wait; 0 where there is nothing.
  Result<usize> peek(IoCursor& to);
  // Drops bytes that were peeked at.
  void discard(usize size);
  // Waits until it has bytes or ended. Errors: Again (unless `block`), RestartSys.
  Result<void> wait_readable(bool block);
  // Waits until it has room. Errors: Pipe (no reader), Again, RestartSys.
  Result<void> wait_writable(bool block);
  // fcntl(F_SETPIPE_SZ): gives the new size. Errors: Busy (it holds more), NoMemory.
  Result<usize> resize(usize size);
  usize capacity() const { return capacity_.load(std::memory_order_relaxed); }
  usize used() const { return used_.load(std::memory_order_relaxed); }
  u64 number() const { return number_; }

  u32 poll_reader(u32 writers_seen) const;
  u32 poll_writer() const;
  void open_end(bool reader, bool writer);
  void close_end(bool reader, bool writer);

  WaitQueue read_queue, write_queue;
  std::atomic<u32> readers{0}, writers{0};
  std::atomic<u32> reader_opens{0}, writer_opens{0};  // ever: a fifo's open waits for a change
  InodeExtra* fifo_of = nullptr;                      // its back pointer names this pipe

 private:
  ~Pipe() override;
  Result<usize> take_bytes(IoCursor& to);
  Result<usize> put_bytes(IoCursor& from, usize least);
  Result<usize> copy_in(IoCursor& from, usize size);
  Result<usize> copy_out(IoCursor& to, usize position, usize size);
  // Is there room for `least` bytes, or for a packet of them? The latter takes a whole page of the capacity.
  bool has_room(usize least) const { return capacity() - used() >= least && packets_.load() < capacity() / kPageSize; }
  void take_out(usize size);  // lock_ held
  usize readable_run() const;
  void wake_readers();
  void wake_writers();
  Mutex lock_;
  Vector<mm::Page*> pages_;
  usize head_ = 0;  // of the oldest byte
  std::atomic<usize> used_{0};
  std::atomic<usize> capacity_{0};
  u64 number_ = 0;
  // Packets that wait, oldest first; `at` counts the bytes that ever went through. Under lock_.
  struct PacketMark {
    u64 at;
    u32 size;
  };
  Vector<PacketMark> marks_;
  std::atomic<usize> packets_{0};
  u64 read_total_ = 0;
};

// The Pipe behind a File, or null: for splice, tee and fcntl.
Pipe* pipe_of(File& file);

// Opens a fifo as open(2) does: waits for the other side, unless O_NONBLOCK or O_RDWR. Errors: NoDeviceOrAddress
// (O_NONBLOCK | O_WRONLY without a reader), RestartSys.
Result<RefPtr<File>> open_fifo(Dentry& dentry, u32 flags);

}  // namespace uni::fs
