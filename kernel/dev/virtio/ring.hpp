// SPDX-License-Identifier: Apache-2.0
// A split virtqueue (virtio 1.1, 2.6): descriptors, the available ring that we fill and the used ring that the device
// fills. Pure memory: no locking (the owner's lock covers it), no device register, no allocation; tested on the host.
//
// What the device writes is not trusted: a used entry that names no chain in flight is dropped.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::dev::virtio {

// A physically contiguous piece of memory as the device sees it.
struct Buffer {
  u64 address;
  u32 size;
};

struct Used {
  void* cookie;
  u32 written;  // bytes that the device wrote, as it says
};

class Ring {
 public:
  // Memory that a ring of `size` entries (a power of two, at most 32768) takes. It must be 16-byte aligned.
  static constexpr usize bytes(u16 size) { return private_offset(size) + 10 * usize{size}; }

  // Takes `memory` (bytes(size), any content). `event_index`: VIRTIO_F_EVENT_IDX was negotiated.
  void attach(void* memory, u16 size, bool event_index);

  u16 size() const { return size_; }
  u16 free_count() const { return free_count_; }
  // Chains that the device has and has not yet given back.
  u16 in_flight() const { return in_flight_; }
  // Offsets from `memory` of the parts whose addresses the device is told; the descriptors are at 0.
  static constexpr usize available_offset(u16 size) { return 16 * usize{size}; }
  static constexpr usize used_offset(u16 size) { return align_up(available_offset(size) + 6 + 2 * usize{size}, 4); }
  static constexpr usize private_offset(u16 size) { return align_up(used_offset(size) + 6 + 8 * usize{size}, 8); }

  // Queues one chain: what the device reads, then what it writes. False where it does not fit, or is empty. The device
  // sees it at the next publish().
  bool add(Span<const Buffer> readable, Span<const Buffer> writable, void* cookie);
  // Shows the device all that was added. Gives whether it wants to be notified.
  bool publish();

  bool has_used() const { return used_->index.load() != last_used_; }
  // Takes the next finished chain; false where there is none.
  bool take(Used* out);

  // Asks for no interrupts (a hint: one may still come).
  void disable_interrupts();
  // Asks for an interrupt at the next finished chain. Gives false where one is there already, so that it must be looked
  // at without waiting.
  bool enable_interrupts();
  // The same, but only once `chains` of those in flight are done: for a writer that waits for room.
  bool enable_interrupts_after(u16 chains);

 private:
  struct Descriptor {
    u64 address;
    u32 size;
    u16 flags;
    u16 next;
  };
  // A 16-bit word that the other side reads or writes at any time.
  struct Shared16 {
    u16 raw;
    u16 load() const { return __atomic_load_n(&raw, __ATOMIC_ACQUIRE); }
    void store(u16 v) { __atomic_store_n(&raw, v, __ATOMIC_RELEASE); }
  };
  struct Available {
    Shared16 flags;
    Shared16 index;
    u16 heads[];
  };
  struct UsedEntry {
    u32 head;
    u32 written;
  };
  struct UsedRing {
    Shared16 flags;
    Shared16 index;
    UsedEntry entries[];
  };
  Shared16& used_event() { return *reinterpret_cast<Shared16*>(&available_->heads[size_]); }
  Shared16& available_event() { return *reinterpret_cast<Shared16*>(&used_->entries[size_]); }

  Descriptor* descriptors_ = nullptr;
  Available* available_ = nullptr;
  UsedRing* used_ = nullptr;
  void** cookies_ = nullptr;  // by head
  u16* lengths_ = nullptr;    // descriptors of the chain that starts here; 0 where none does
  u16 size_ = 0;
  u16 free_head_ = 0;
  u16 free_count_ = 0;
  u16 in_flight_ = 0;
  u16 next_available_ = 0;  // our copy of available_->index
  u16 published_ = 0;       // what the device was last told
  u16 last_used_ = 0;
  bool event_index_ = false;
};

}  // namespace uni::dev::virtio
