// SPDX-License-Identifier: Apache-2.0
// virtio-blk. Any number of threads have requests under way. Each request looks at the ring for a moment before it
// sleeps, because a short transfer from the host's page cache takes about as long as going idle and being woken does;
// whoever looks, or the interrupt, completes everybody's requests. Interrupts are asked for only while somebody sleeps.
#include "kernel/dev/virtio/block.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/dev/block.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::dev {
namespace virtio {
namespace {

constexpr usize kSector = 512;
constexpr u64 kFeatureSegmentMax = 1u << 2;
constexpr u64 kFeatureReadOnly = 1u << 5;
constexpr u64 kFeatureFlush = 1u << 9;
constexpr u32 kConfigCapacity = 0, kConfigSegmentMax = 12;

enum class Operation : u32 { kRead = 0, kWrite = 1, kFlush = 4 };

constexpr u16 kQueueSize = 64;
constexpr usize kMostSegments = 32;  // of one request
constexpr usize kSlots = 32;         // requests under way; one bit each in a u32
constexpr int kLooks = 64;           // before sleeping

class Block final : public BlockDevice, public Driver {
 public:
  explicit Block(OwnPtr<Transport> transport) : transport_(uni::move(transport)) {}

  Result<void> init() {
    features_ = TRY(transport_->negotiate(kFeatureSegmentMax | kFeatureReadOnly | kFeatureFlush | kFeatureEventIndex));
    mm::Page* page = mm::alloc_page(mm::Zero::kNo);
    if (page == nullptr) return Errno::NoMemory;
    static_assert(kSlots * sizeof(Slot) <= kPageSize);
    slots_ = static_cast<Slot*>(mm::address_of(*page));
    sectors_ = transport_->config64(kConfigCapacity);
    if ((features_ & kFeatureSegmentMax) != 0) {
      most_segments_ = max(usize{1}, min(kMostSegments, usize{transport_->config32(kConfigSegmentMax)}));
    }
    TRY(transport_->start_queue(0, kQueueSize, queue_));
    if (queue_.ring.size() < 3) return Errno::NoDevice;
    most_segments_ = min(most_segments_, usize{queue_.ring.size()} - 2);
    queue_.ring.disable_interrupts();
    TRY(transport_->listen(*this));
    transport_->ready();
    return {};
  }

  Result<void> read(u64 offset, Span<const BlockSegment> segments) override {
    return transfer(Operation::kRead, offset, segments);
  }
  Result<void> write(u64 offset, Span<const BlockSegment> segments) override {
    if (read_only()) return Errno::ReadOnlyFs;
    return transfer(Operation::kWrite, offset, segments);
  }
  Result<void> flush() override {
    if ((features_ & kFeatureFlush) == 0) return {};
    return request(Operation::kFlush, 0, {});
  }
  u64 size() const override { return sectors_ * kSector; }
  bool read_only() const override { return (features_ & kFeatureReadOnly) != 0; }

  void on_interrupt() override {
    LockGuard lock(queue_.lock);
    do {
      complete();
    } while (sleepers_ != 0 && !queue_.ring.enable_interrupts());
  }

 private:
  // What the device reads and writes of a request besides the data: struct virtio_blk_req.
  struct Slot {
    u32 operation;
    u32 reserved;
    u64 sector;
    u8 status;
  };
  struct Request {
    u32 slot;
    bool done = false;
    WaitQueue finished;
  };

  // Neighbours in memory become one segment, and what is too much for one request becomes several.
  Result<void> transfer(Operation operation, u64 offset, Span<const BlockSegment> segments) {
    Buffer pieces[kMostSegments];
    usize count = 0;
    u64 start = offset, end = offset;
    for (const BlockSegment& s : segments) {
      if (s.size == 0) continue;
      const u64 address = mm::raw(mm::virt_to_phys(s.data));
      if (offset % kSector != 0 || s.size % kSector != 0 || s.size > kGiB) return Errno::Invalid;
      if (end > size() || s.size > size() - end) return Errno::Invalid;
      Buffer* last = count == 0 ? nullptr : &pieces[count - 1];
      if (last != nullptr && last->address + last->size == address && last->size + s.size <= kGiB) {
        last->size += static_cast<u32>(s.size);
      } else {
        if (count == most_segments_) {
          TRY(request(operation, start, {pieces, count}));
          start = end;
          count = 0;
        }
        pieces[count++] = {address, static_cast<u32>(s.size)};
      }
      end += s.size;
    }
    if (count == 0) return {};
    return request(operation, start, {pieces, count});
  }

  Result<void> request(Operation operation, u64 offset, Span<const Buffer> data) {
    Request r;
    room_.wait([&] { return submit(r, operation, offset, data); }, time::kNever, Sleep::kUninterruptible);
    for (int i = 0; i < kLooks && !look(r); ++i)
      arch::cpu_relax();
    if (!look(r)) sleep(r);
    // Under the lock, so that the processor that completed it is through with `r`.
    queue_.lock.lock();
    const u8 status = slots_[r.slot].status;
    free_slots_ |= 1u << r.slot;
    queue_.lock.unlock();
    if (room_.has_waiters()) room_.wake_all();
    switch (status) {
      case 0:
        return {};
      case 2:
        return Errno::NotSupported;
      default:
        return Errno::Io;
    }
  }

  // False where the ring or the slots are full.
  bool submit(Request& r, Operation operation, u64 offset, Span<const Buffer> data) {
    LockGuard lock(queue_.lock);
    complete();
    if (free_slots_ == 0 || queue_.ring.free_count() < data.size() + 2) return false;
    r.slot = static_cast<u32>(__builtin_ctz(free_slots_));
    Slot& slot = slots_[r.slot];
    slot = {static_cast<u32>(operation), 0, offset / kSector, 0xff};
    const u64 at = mm::raw(mm::virt_to_phys(&slot));
    Buffer buffers[kMostSegments + 2];
    usize count = 0;
    buffers[count++] = {at, offsetof(Slot, status)};
    for (const Buffer& b : data)
      buffers[count++] = b;
    buffers[count++] = {at + offsetof(Slot, status), 1};
    const usize readable = operation == Operation::kRead ? 1 : count - 1;
    queue_.ring.add({buffers, readable}, {buffers + readable, count - readable}, &r);
    free_slots_ &= ~(1u << r.slot);
    queue_.publish();
    return true;
  }

  // Needs: queue_.lock.
  void complete() {
    Used used;
    bool any = false;
    while (queue_.ring.take(&used)) {
      auto* r = static_cast<Request*>(used.cookie);
      r->done = true;
      if (r->finished.has_waiters()) r->finished.wake_all();
      any = true;
    }
    if (any && room_.has_waiters()) room_.wake_all();
  }

  bool look(Request& r) {
    if (!queue_.ring.has_used() && !__atomic_load_n(&r.done, __ATOMIC_ACQUIRE)) return false;
    LockGuard lock(queue_.lock);
    complete();
    return r.done;
  }

  void sleep(Request& r) {
    {
      LockGuard lock(queue_.lock);
      ++sleepers_;
    }
    auto finished = [&] {
      LockGuard lock(queue_.lock);
      do {
        complete();
      } while (!r.done && !queue_.ring.enable_interrupts());
      return r.done;
    };
    r.finished.wait(finished, time::kNever, Sleep::kUninterruptible);
    LockGuard lock(queue_.lock);
    if (--sleepers_ == 0) queue_.ring.disable_interrupts();
  }

  OwnPtr<Transport> transport_;
  u64 features_ = 0;
  u64 sectors_ = 0;
  usize most_segments_ = 1;
  Queue queue_;
  Slot* slots_ = nullptr;
  u32 free_slots_ = ~0u;
  u32 sleepers_ = 0;
  WaitQueue room_;
};

constexpr usize kMostDisks = 8;
Block* disks[kMostDisks];
usize disk_count = 0;

}  // namespace

Result<void> start_block(OwnPtr<Transport> transport) {
  if (disk_count == kMostDisks) return Errno::NoSpace;
  OwnPtr<Block> block = TRY(make_own<Block>(uni::move(transport)));
  TRY(block->init());
  disks[disk_count++] = block.release();
  return {};
}

}  // namespace virtio

BlockDevice* disk(usize n) {
  return n < virtio::disk_count ? virtio::disks[n] : nullptr;
}

}  // namespace uni::dev
