// SPDX-License-Identifier: Apache-2.0
// A port's buffers. Transmit interrupts are asked for only while somebody waits for room or for the end; finished
// buffers are otherwise found at the next write. Invariant: each of buffer_count_ pages is in spare_, with a writer, or
// in the ring.
#include "kernel/dev/console/port.hpp"

#include "kernel/fs/file.hpp"

namespace uni::dev::console {
namespace {

virtio::Buffer buffer_of(const mm::Page& page, usize size) {
  return {mm::raw(mm::phys_of(page)), static_cast<u32>(size)};
}

u8* bytes_of(const mm::Page& page) {
  return static_cast<u8*>(mm::address_of(page));
}

}  // namespace

void Port::set_name(StringView name) {
  name_size_ = min(name.size(), sizeof name_);
  __builtin_memcpy(name_, name.data(), name_size_);
}

void Port::set_host_open(bool open) {
  host_open_.store(open, std::memory_order_release);
  if (open) was_open_.store(true, std::memory_order_release);
  changed.wake_all();
}

Result<void> Port::start_receive(virtio::Transport& transport) {
  LockGuard guard(starting_);
  if (receive_.started()) return {};
  mm::Page* pages[kReceiveBuffers];
  for (usize i = 0; i < kReceiveBuffers; ++i) {
    pages[i] = mm::alloc_page(mm::Zero::kNo);
    if (pages[i] != nullptr) continue;
    while (i-- > 0)
      mm::put_page(*pages[i]);
    return Errno::NoMemory;
  }
  // 5.3.2: port 0 has queues 0 and 1, the control queues are 2 and 3, port N has 2N+2 and 2N+3.
  TRY(transport.start_queue(static_cast<u16>(id_ == 0 ? 0 : 2 * id_ + 2), kQueueSize, receive_));
  LockGuard lock(receive_.lock);
  for (mm::Page* p : pages)
    post(*p);
  receive_.publish();
  return {};
}

Result<void> Port::start_transmit(virtio::Transport& transport) {
  LockGuard guard(starting_);
  if (transmit_.started()) return {};
  TRY(transport.start_queue(static_cast<u16>(id_ == 0 ? 1 : 2 * id_ + 3), kQueueSize, transmit_));
  LockGuard lock(transmit_.lock);
  transmit_.ring.disable_interrupts();
  return {};
}

void Port::reap() {
  virtio::Used used;
  while (transmit_.ring.take(&used))
    spare_[spare_count_++] = static_cast<mm::Page*>(used.cookie);
}

// A page to fill, or null where all are with the device. A new one is made only while none is free.
mm::Page* Port::take_spare() {
  LockGuard lock(transmit_.lock);
  if (spare_count_ == 0) reap();
  if (spare_count_ != 0) return spare_[--spare_count_];
  if (buffer_count_ == most_buffers_) return nullptr;
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page != nullptr)
    ++buffer_count_;
  else
    most_buffers_ = buffer_count_;  // memory is short: those that we have must do
  return page;
}

// Gives a filled page to the device (or, with size 0, back to the spare ones).
void Port::queue(mm::Page& page, usize size) {
  {
    LockGuard lock(transmit_.lock);
    const virtio::Buffer b = buffer_of(page, size);
    if (size != 0 && transmit_.ring.add({&b, 1}, {}, &page)) return;
    spare_[spare_count_++] = &page;
  }
  changed.wake_all(fs::kPollOut | fs::kPollWrNorm);
}

Result<usize> Port::write(IoCursor& from, Wait wait) {
  usize done = 0;
  while (from.remaining() != 0) {
    if (host_gone()) {
      if (done == 0) return Errno::Pipe;
      break;
    }
    mm::Page* page = take_spare();
    if (page == nullptr) {
      {
        LockGuard lock(transmit_.lock);
        transmit_.publish();
        if (buffer_count_ == 0) {
          most_buffers_ = kTransmitBuffers;  // the next write tries again
          return Errno::NoMemory;
        }
      }
      if (write_ready()) continue;
      if (wait == Wait::kNo) {
        if (done == 0) return Errno::Again;
        break;
      }
      if (changed.wait([this] { return write_ready(); }) == Wake::kReady) continue;
      if (done == 0) return Errno::RestartSys;
      break;
    }
    auto copied = from.take(bytes_of(*page), kPageSize);
    queue(*page, copied.ok() ? copied.value() : 0);
    if (!copied.ok()) {
      if (done == 0) return copied.error();
      break;
    }
    done += copied.value();
    if (copied.value() == 0) break;
  }
  LockGuard lock(transmit_.lock);
  transmit_.publish();
  return done;
}

usize Port::write_some(Span<const u8> bytes) {
  usize done = 0;
  while (done < bytes.size() && transmit_.started()) {
    mm::Page* page = take_spare();
    if (page == nullptr) break;
    const Span<const u8> piece = bytes.slice(done, kPageSize);
    __builtin_memcpy(bytes_of(*page), piece.data(), piece.size());
    queue(*page, piece.size());
    done += piece.size();
  }
  if (done != 0) {
    LockGuard lock(transmit_.lock);
    transmit_.publish();
  }
  return done;
}

bool Port::write_ready() {
  if (host_gone() || !transmit_.started()) return true;
  LockGuard lock(transmit_.lock);
  if (spare_count_ != 0 || buffer_count_ < most_buffers_) return true;
  reap();
  // A quarter of the buffers at a time, so that a fast writer is not woken for each.
  const u16 wanted = min<u16>(transmit_.ring.in_flight(), kTransmitBuffers / 4);
  if (spare_count_ == 0 && (wanted == 0 || transmit_.ring.enable_interrupts_after(wanted))) return false;
  reap();
  return spare_count_ != 0;
}

void Port::post(mm::Page& page) {
  const virtio::Buffer b = buffer_of(page, kPageSize);
  receive_.ring.add({}, {&b, 1}, &page);
}

void Port::fetch() {
  virtio::Used used;
  while (true) {
    while (receive_.ring.take(&used)) {
      auto* page = static_cast<mm::Page*>(used.cookie);
      const u32 size = min(used.written, static_cast<u32>(kPageSize));
      chunks_[(first_chunk_ + chunk_count_++) % kReceiveBuffers] = {page, 0, size};
    }
    if (receive_.ring.enable_interrupts()) return;
  }
}

void Port::drop_front() {
  post(*chunks_[first_chunk_].page);
  first_chunk_ = (first_chunk_ + 1) % kReceiveBuffers;
  --chunk_count_;
}

usize Port::readable_bytes() {
  if (!receive_.started()) return 0;
  LockGuard lock(receive_.lock);
  fetch();
  usize total = 0;
  for (usize i = 0; i < chunk_count_; ++i) {
    const Chunk& c = chunks_[(first_chunk_ + i) % kReceiveBuffers];
    total += c.end - c.at;
  }
  return total;
}

bool Port::read_ready() {
  // The order matters: the host's last bytes come before its closing does.
  const bool end = !host_open();
  return readable_bytes() != 0 || end;
}

Result<usize> Port::read(IoCursor& to, Wait wait) {
  if (to.remaining() == 0) return 0;
  while (true) {
    const bool end = !host_open();
    {
      LockGuard guard(reading_);
      usize done = 0;
      while (to.remaining() != 0) {
        Chunk chunk{};
        {
          LockGuard lock(receive_.lock);
          fetch();
          while (chunk_count_ != 0 && chunks_[first_chunk_].at == chunks_[first_chunk_].end)
            drop_front();
          receive_.publish();
          if (chunk_count_ == 0) break;
          chunk = chunks_[first_chunk_];
        }
        auto copied = to.put(bytes_of(*chunk.page) + chunk.at, chunk.end - chunk.at);
        if (!copied.ok()) {
          if (done == 0) return copied.error();
          break;
        }
        done += copied.value();
        LockGuard lock(receive_.lock);
        chunks_[first_chunk_].at += static_cast<u32>(copied.value());
        if (chunks_[first_chunk_].at == chunks_[first_chunk_].end) {
          drop_front();
          receive_.publish();
        }
        if (copied.value() == 0) break;
      }
      if (done != 0) return done;
    }
    if (end) return 0;
    if (wait == Wait::kNo) return Errno::Again;
    if (changed.wait([this] { return read_ready(); }) != Wake::kReady) return Errno::RestartSys;
  }
}

void Port::take_all(void (*sink)(void* context, Span<const u8> bytes), void* context) {
  if (!receive_.started()) return;
  while (true) {
    Chunk chunk{};
    {
      LockGuard lock(receive_.lock);
      fetch();
      if (chunk_count_ == 0) break;
      chunk = chunks_[first_chunk_];
    }
    // The chunk stays first, and the page ours, until drop_front: this function is the only taker.
    sink(context, {bytes_of(*chunk.page) + chunk.at, chunk.end - chunk.at});
    LockGuard lock(receive_.lock);
    drop_front();
    receive_.publish();
  }
}

bool Port::drained() {
  // A buffer that the host had read in part when it closed its side never comes back (QEMU 7.2 keeps it).
  if (!transmit_.started() || host_gone()) return true;
  LockGuard lock(transmit_.lock);
  reap();
  return transmit_.ring.in_flight() == 0;
}

bool Port::drain(u64 deadline) {
  auto done = [this] {
    while (!drained()) {
      LockGuard lock(transmit_.lock);
      const u16 left = transmit_.ring.in_flight();
      if (left != 0 && transmit_.ring.enable_interrupts_after(left)) return false;
    }
    return true;
  };
  return changed.wait(done, deadline, Sleep::kUninterruptible) == Wake::kReady;
}

void Port::on_interrupt() {
  u32 events = 0;
  if (receive_.started() && receive_.ring.has_used()) events |= fs::kPollIn | fs::kPollRdNorm;
  if (transmit_.started() && transmit_.ring.has_used()) events |= fs::kPollOut | fs::kPollWrNorm;
  if (events != 0) changed.wake_all(events);
}

}  // namespace uni::dev::console
