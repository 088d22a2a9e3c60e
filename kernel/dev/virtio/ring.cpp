// SPDX-License-Identifier: Apache-2.0
// The split virtqueue. Invariants: a descriptor is either on the free list (linked through `next`) or part of exactly
// one chain in flight; free_count_ counts the former; lengths_[head] is the chain's length, so a freed chain needs
// nothing that the device could have changed in it but is walked by our own links.
#include "kernel/dev/virtio/ring.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/base/utility.hpp"

namespace uni::dev::virtio {
namespace {

constexpr u16 kNext = 1;   // VIRTQ_DESC_F_NEXT
constexpr u16 kWrite = 2;  // VIRTQ_DESC_F_WRITE
constexpr u16 kNoInterrupt = 1;
constexpr u16 kNoNotify = 1;

// virtio 1.1, 2.6.7.2: did the index pass `event` on its way from `old` to `now`?
constexpr bool passed(u16 event, u16 now, u16 old) {
  return static_cast<u16>(now - event - 1) < static_cast<u16>(now - old);
}

}  // namespace

void Ring::attach(void* memory, u16 size, bool event_index) {
  // SAFETY: the caller gives bytes(size) aligned bytes; each part below starts at its natural alignment.
  auto* base = static_cast<u8*>(memory);
  descriptors_ = reinterpret_cast<Descriptor*>(base);
  available_ = reinterpret_cast<Available*>(base + available_offset(size));
  used_ = reinterpret_cast<UsedRing*>(base + used_offset(size));
  cookies_ = reinterpret_cast<void**>(base + private_offset(size));
  lengths_ = reinterpret_cast<u16*>(base + private_offset(size) + 8 * usize{size});
  size_ = size;
  event_index_ = event_index;
  for (u16 i = 0; i < size; ++i) {
    descriptors_[i].next = static_cast<u16>(i + 1);
    lengths_[i] = 0;
  }
  free_head_ = 0;
  free_count_ = size;
  in_flight_ = next_available_ = published_ = last_used_ = 0;
  available_->flags.store(0);
  available_->index.store(0);
  used_->flags.store(0);
  used_->index.store(0);
  used_event().store(0);
  available_event().store(0);
}

bool Ring::add(Span<const Buffer> readable, Span<const Buffer> writable, void* cookie) {
  const usize count = readable.size() + writable.size();
  if (count == 0 || count > free_count_) return false;
  const u16 head = free_head_;
  u16 at = head;
  for (usize i = 0; i < count; ++i) {
    const bool write = i >= readable.size();
    const Buffer& b = write ? writable[i - readable.size()] : readable[i];
    Descriptor& d = descriptors_[at];
    d.address = b.address;
    d.size = b.size;
    d.flags = static_cast<u16>((write ? kWrite : 0) | (i + 1 < count ? kNext : 0));
    at = d.next;
  }
  free_head_ = at;
  free_count_ = static_cast<u16>(free_count_ - count);
  cookies_[head] = cookie;
  lengths_[head] = static_cast<u16>(count);
  ++in_flight_;
  available_->heads[next_available_ & (size_ - 1)] = head;
  ++next_available_;
  return true;
}

bool Ring::publish() {
  const u16 old = published_;
  if (old == next_available_) return false;
  available_->index.store(next_available_);
  published_ = next_available_;
  // A wish that is there already is heeded without a fence.
  if (event_index_ && passed(available_event().load(), published_, old)) return true;
  // The device's wish is read after it can see the new index, or both sides could wait for each other (2.6.13.4.1).
  arch::device_fence();
  if (event_index_) return passed(available_event().load(), published_, old);
  return (used_->flags.load() & kNoNotify) == 0;
}

bool Ring::take(Used* out) {
  while (has_used()) {
    const UsedEntry& entry = used_->entries[last_used_ & (size_ - 1)];
    const u32 head = *const_cast<const volatile u32*>(&entry.head);
    const u32 written = *const_cast<const volatile u32*>(&entry.written);
    ++last_used_;
    if (head >= size_ || lengths_[head] == 0) continue;
    u16 count = exchange(lengths_[head], u16{0});
    free_count_ = static_cast<u16>(free_count_ + count);
    u16 last = static_cast<u16>(head);
    while (--count != 0)
      last = static_cast<u16>(descriptors_[last].next & (size_ - 1));
    descriptors_[last].next = free_head_;
    free_head_ = static_cast<u16>(head);
    --in_flight_;
    *out = {cookies_[head], written};
    return true;
  }
  return false;
}

void Ring::disable_interrupts() {
  // With event indices: one that the used index has just passed, and passes again only 65536 chains later.
  if (event_index_)
    used_event().store(static_cast<u16>(last_used_ - 1));
  else
    available_->flags.store(kNoInterrupt);
}

bool Ring::enable_interrupts() {
  return enable_interrupts_after(1);
}

bool Ring::enable_interrupts_after(u16 chains) {
  if (event_index_)
    used_event().store(static_cast<u16>(last_used_ + chains - 1));
  else
    available_->flags.store(0);
  if (static_cast<u16>(used_->index.load() - last_used_) >= chains) return false;
  // And the index is read after the device can see the wish (2.6.7.2).
  arch::device_fence();
  return static_cast<u16>(used_->index.load() - last_used_) < chains;
}

}  // namespace uni::dev::virtio
