// SPDX-License-Identifier: Apache-2.0
// The ring behind pipes and fifos. Bytes move under a mutex, as copies from and to a program may fault; what poll and
// waiters look at is atomic. The mutex's unlock is a full barrier, so a waker that sees no waiter missed none.
#include "kernel/fs/pipe.hpp"

#include "kernel/fs/inode_extra.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs {

std::atomic<u64> g_largest_pipe{kMiB};

namespace {
constinit std::atomic<u64> g_next_number{1};
constexpr unsigned kCapSysResource = 24;

usize first_size() {
  const u64 largest = g_largest_pipe.load(std::memory_order_relaxed);
  const bool free = largest >= Pipe::kDefaultSize || Process::current().credentials.capable(kCapSysResource);
  return free ? Pipe::kDefaultSize : static_cast<usize>(largest);
}
}  // namespace

usize Pipe::rounded(usize size) {
  usize wanted = kPageSize;
  while (wanted < size)
    wanted *= 2;
  return wanted;
}

Result<RefPtr<Pipe>> Pipe::create() {
  RefPtr<Pipe> pipe = TRY(make_ref<Pipe>());
  const usize size = first_size();
  TRY(pipe->pages_.resize(size / kPageSize));
  pipe->capacity_ = size;
  pipe->number_ = g_next_number.fetch_add(1);
  return pipe;
}

Pipe::~Pipe() {
  if (fifo_of != nullptr) {
    LockGuard guard(fifo_of->lock);
    if (fifo_of->fifo == this) fifo_of->fifo = nullptr;
  }
  for (mm::Page* page : pages_) {
    if (page != nullptr) mm::put_page(*page);
  }
}

void Pipe::wake_readers() {
  if (read_queue.has_waiters()) read_queue.wake_one(kPollIn | kPollRdNorm);
}

void Pipe::wake_writers() {
  if (write_queue.has_waiters()) write_queue.wake_one(kPollOut | kPollWrNorm);
}

// Puts bytes behind the newest. Needs room for them.
Result<usize> Pipe::copy_in(IoCursor& from, usize size) {
  const usize total = capacity();
  usize done = 0;
  while (done < size) {
    usize at = head_ + used_.load(std::memory_order_relaxed);
    if (at >= total) at -= total;
    mm::Page*& page = pages_[at / kPageSize];
    if (page == nullptr) page = mm::alloc_page(mm::Zero::kNo);
    if (page == nullptr) return done != 0 ? Result<usize>(done) : Result<usize>(Errno::NoMemory);
    const usize in = at % kPageSize;
    const usize length = min(kPageSize - in, size - done);
    Result<usize> got = from.take(static_cast<char*>(mm::address_of(*page)) + in, length);
    if (!got.ok()) return done != 0 ? Result<usize>(done) : uni::move(got);
    done += got.value();
    used_.store(used_.load(std::memory_order_relaxed) + got.value(), std::memory_order_relaxed);
    if (got.value() < length) break;
  }
  return done;
}

// Copies `size` bytes from `position` behind the oldest; they stay.
Result<usize> Pipe::copy_out(IoCursor& to, usize position, usize size) {
  const usize total = capacity();
  usize done = 0;
  while (done < size) {
    usize at = head_ + position + done;
    if (at >= total) at -= total;
    const usize in = at % kPageSize;
    const usize length = min(kPageSize - in, size - done);
    Result<usize> got = to.put(static_cast<const char*>(mm::address_of(*pages_[at / kPageSize])) + in, length);
    if (!got.ok()) return done != 0 ? Result<usize>(done) : uni::move(got);
    done += got.value();
    if (got.value() < length) break;
  }
  return done;
}

// The bytes that one read may give: up to the next packet, or the packet.
usize Pipe::readable_run() const {
  if (marks_.empty()) return used();
  const PacketMark& next = marks_[0];
  return static_cast<usize>(next.at > read_total_ ? next.at - read_total_ : next.size);
}

void Pipe::take_out(usize size) {
  const usize held = used();
  head_ = size == held ? 0 : (head_ + size) % capacity();
  used_.store(held - size, std::memory_order_relaxed);
  read_total_ += size;
}

Result<usize> Pipe::take_bytes(IoCursor& to) {
  LockGuard guard(lock_);
  if (used() == 0) return usize{0};
  const usize run = readable_run();
  const usize got = TRY(copy_out(to, 0, min(run, to.remaining())));
  const bool packet = !marks_.empty() && marks_[0].at <= read_total_;
  take_out(packet ? run : got);
  if (packet) {
    marks_.remove_at(0);
    packets_.store(marks_.size());
  }
  return got;
}

// Puts in what fits; nothing where less than `least` bytes would fit.
Result<usize> Pipe::put_bytes(IoCursor& from, usize least) {
  LockGuard guard(lock_);
  if (!has_room(least)) return usize{0};
  return copy_in(from, min(capacity() - used(), from.remaining()));
}

Result<usize> Pipe::read(IoCursor& to, bool block) {
  if (to.remaining() == 0) return usize{0};
  for (;;) {
    // Looked at first: what the last writer wrote before it closed is still read.
    const bool ended = writers.load(std::memory_order_acquire) == 0;
    const usize got = TRY(take_bytes(to));
    if (got != 0) {
      wake_writers();
      return got;
    }
    if (ended) return usize{0};
    if (!block) return Errno::Again;
    const Wake woken = read_queue.wait([&] { return used() != 0 || writers.load(std::memory_order_acquire) == 0; });
    if (woken == Wake::kSignal) return Errno::RestartSys;
  }
}

Result<usize> Pipe::write(IoCursor& from, bool block) {
  if (from.remaining() == 0) return usize{0};
  const usize least = from.remaining() <= kPipeBuf ? from.remaining() : 1;
  usize done = 0;
  const auto stop = [&](Errno error) { return done != 0 ? Result<usize>(done) : Result<usize>(error); };
  for (;;) {
    if (readers.load(std::memory_order_acquire) == 0) return stop(Errno::Pipe);
    Result<usize> put = put_bytes(from, least);
    if (!put.ok()) return stop(put.error());
    if (put.value() != 0) {
      done += put.value();
      wake_readers();
      if (from.remaining() == 0) return done;
      continue;
    }
    if (!block) return stop(Errno::Again);
    const Wake woken =
        write_queue.wait([&] { return has_room(least) || readers.load(std::memory_order_acquire) == 0; });
    if (woken == Wake::kSignal) return stop(Errno::RestartSys);
  }
}

Result<usize> Pipe::write_packets(IoCursor& from, bool block) {
  usize done = 0;
  const auto stop = [&](Errno error) { return done != 0 ? Result<usize>(done) : Result<usize>(error); };
  while (from.remaining() != 0) {
    if (readers.load(std::memory_order_acquire) == 0) return stop(Errno::Pipe);
    const usize size = min(from.remaining(), kPipeBuf);
    {
      LockGuard guard(lock_);
      if (has_room(size)) {
        TRY(marks_.reserve(capacity() / kPageSize));
        const u64 at = read_total_ + used();
        Result<usize> put = copy_in(from, size);
        if (!put.ok()) return stop(put.error());
        TRY(marks_.push({at, static_cast<u32>(put.value())}));  // reserved above
        packets_.store(marks_.size());
        done += put.value();
        wake_readers();
        if (put.value() < size) return done;
        continue;
      }
    }
    if (!block) return stop(Errno::Again);
    const Wake woken = write_queue.wait([&] { return has_room(size) || readers.load(std::memory_order_acquire) == 0; });
    if (woken == Wake::kSignal) return stop(Errno::RestartSys);
  }
  return done;
}

Result<usize> Pipe::peek(IoCursor& to) {
  LockGuard guard(lock_);
  return copy_out(to, 0, min(used() == 0 ? 0 : readable_run(), to.remaining()));
}

void Pipe::discard(usize size) {
  {
    LockGuard guard(lock_);
    take_out(min(size, used()));
    // A packet that is spliced away in pieces stays one until its end.
    while (!marks_.empty() && marks_[0].at < read_total_) {
      PacketMark& first = marks_[0];
      const u64 end = first.at + first.size;
      if (end > read_total_) {
        first = {read_total_, static_cast<u32>(end - read_total_)};
        break;
      }
      marks_.remove_at(0);
      packets_.store(marks_.size());
    }
  }
  wake_writers();
}

Result<void> Pipe::wait_readable(bool block) {
  const auto ready = [&] { return used() != 0 || writers.load(std::memory_order_acquire) == 0; };
  if (ready()) return {};
  if (!block) return Errno::Again;
  return read_queue.wait(ready) == Wake::kSignal ? Result<void>(Errno::RestartSys) : Result<void>();
}

Result<void> Pipe::wait_writable(bool block) {
  const auto ready = [&] { return has_room(1) || readers.load(std::memory_order_acquire) == 0; };
  if (!ready() && !block) return Errno::Again;
  if (write_queue.wait(ready) == Wake::kSignal) return Errno::RestartSys;
  return readers.load(std::memory_order_acquire) == 0 ? Result<void>(Errno::Pipe) : Result<void>();
}

Result<usize> Pipe::resize(usize size) {
  const usize wanted = rounded(size);
  {
    LockGuard guard(lock_);
    if (wanted < used() || wanted / kPageSize < marks_.size()) return Errno::Busy;
    Vector<mm::Page*> pages;
    TRY(pages.resize(wanted / kPageSize));
    const usize held = used();
    // The bytes move into fresh pages from the first on.
    for (usize at = 0; at < held; at += kPageSize) {
      mm::Page* page = mm::alloc_page(mm::Zero::kNo);
      if (page == nullptr) {
        for (mm::Page* made : pages) {
          if (made != nullptr) mm::put_page(*made);
        }
        return Errno::NoMemory;
      }
      pages[at / kPageSize] = page;
      const usize length = min(kPageSize, held - at);
      IoCursor to = IoCursor::kernel(mm::address_of(*page), length);
      TRY(copy_out(to, at, length));  // kernel memory: cannot fail
    }
    uni::swap(pages, pages_);
    for (mm::Page* page : pages) {
      if (page != nullptr) mm::put_page(*page);
    }
    head_ = 0;
    capacity_.store(wanted, std::memory_order_relaxed);
  }
  wake_writers();
  return wanted;
}

// A reader that never saw a writer (a fifo opened with O_NONBLOCK) is not hung up yet.
u32 Pipe::poll_reader(u32 writers_seen) const {
  u32 ready = used() != 0 ? u32{kPollIn} | kPollRdNorm : 0;
  if (writers.load(std::memory_order_acquire) == 0 && writer_opens.load() != writers_seen) ready |= kPollHup;
  return ready;
}

u32 Pipe::poll_writer() const {
  u32 ready = has_room(kPipeBuf) ? u32{kPollOut} | kPollWrNorm : 0;
  if (readers.load(std::memory_order_acquire) == 0) ready |= kPollErr;
  return ready;
}

void Pipe::open_end(bool reader, bool writer) {
  if (reader) {
    readers.fetch_add(1);
    reader_opens.fetch_add(1);
    write_queue.wake_all();
  }
  if (writer) {
    writers.fetch_add(1);
    writer_opens.fetch_add(1);
    read_queue.wake_all();
  }
}

void Pipe::close_end(bool reader, bool writer) {
  if (reader && readers.fetch_sub(1) == 1) write_queue.wake_all(kPollErr | kPollOut | kPollWrNorm);
  if (writer && writers.fetch_sub(1) == 1) read_queue.wake_all(kPollHup | kPollIn | kPollRdNorm);
}

}  // namespace uni::fs
