// SPDX-License-Identifier: Apache-2.0
// The split virtqueue against a device written from the specification.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "kernel/arch/cpu.hpp"
#include "kernel/dev/virtio/ring.hpp"

// The tests' device runs in the same thread.
void uni::arch::device_fence() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

using namespace uni;
using dev::virtio::Buffer;
using dev::virtio::Ring;
using dev::virtio::Used;

namespace {

struct Descriptor {
  u64 address;
  u32 size;
  u16 flags, next;
};

// Memory of exactly the size that the ring asks for, and the device's side of it.
class Device {
 public:
  Device(u16 size, bool event_index) : size_(size), memory_(std::aligned_alloc(16, (Ring::bytes(size) + 15) & ~15UL)) {
    std::memset(memory_, 0xee, Ring::bytes(size));
    ring.attach(memory_, size, event_index);
  }
  ~Device() { std::free(memory_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // The head of the next available chain, or -1.
  int pop() {
    const u16 index = get16(Ring::available_offset(size_) + 2);
    if (index == seen_) return -1;
    return get16(Ring::available_offset(size_) + 4 + 2 * (seen_++ % size_));
  }
  std::vector<Descriptor> chain(int head) {
    std::vector<Descriptor> out;
    for (u16 at = static_cast<u16>(head);; at = out.back().next) {
      Descriptor d;
      std::memcpy(&d, bytes() + 16 * at, sizeof d);
      out.push_back(d);
      if ((d.flags & 1) == 0) return out;
    }
  }
  void push(u32 head, u32 written) {
    const usize at = Ring::used_offset(size_) + 4 + 8 * (used_++ % size_);
    std::memcpy(bytes() + at, &head, 4);
    std::memcpy(bytes() + at + 4, &written, 4);
    set16(Ring::used_offset(size_) + 2, used_);
  }
  u16 used_event() { return get16(Ring::available_offset(size_) + 4 + 2 * size_); }
  void set_available_event(u16 v) { set16(Ring::used_offset(size_) + 4 + 8 * size_, v); }
  // Would a device with event indices interrupt for this push (2.6.7.2)?
  bool interrupts_for_last_push() {
    return static_cast<u16>(used_ - used_event() - 1) < static_cast<u16>(used_ - (used_ - 1));
  }

  Ring ring;

 private:
  u8* bytes() { return static_cast<u8*>(memory_); }
  u16 get16(usize at) {
    u16 v;
    std::memcpy(&v, bytes() + at, 2);
    return v;
  }
  void set16(usize at, u16 v) { std::memcpy(bytes() + at, &v, 2); }
  u16 size_;
  void* memory_;
  u16 seen_ = 0, used_ = 0;
};

}  // namespace

TEST_CASE("a chain reaches the device as it was added") {
  Device d(8, false);
  const Buffer out[] = {{0x1000, 16}, {0x2000, 512}};
  const Buffer in[] = {{0x3000, 1}};
  int token = 0;
  REQUIRE(d.ring.add(out, in, &token));
  CHECK(d.pop() == -1);
  CHECK(d.ring.publish());
  const int head = d.pop();
  const auto chain = d.chain(head);
  REQUIRE(chain.size() == 3);
  CHECK(chain[0].address == 0x1000);
  CHECK(chain[1].size == 512);
  CHECK((chain[0].flags & 2) == 0);
  CHECK((chain[1].flags & 2) == 0);
  CHECK((chain[2].flags & 2) == 2);
  CHECK(d.ring.free_count() == 5);
  Used used;
  CHECK_FALSE(d.ring.take(&used));
  d.push(static_cast<u32>(head), 1);
  REQUIRE(d.ring.take(&used));
  CHECK(used.cookie == &token);
  CHECK(used.written == 1);
  CHECK(d.ring.free_count() == 8);
}

TEST_CASE("a full ring refuses and recovers") {
  Device d(4, false);
  const Buffer b[] = {{0, 1}, {0, 1}};
  CHECK_FALSE(d.ring.add({}, {}, nullptr));
  CHECK(d.ring.add(b, {}, nullptr));
  CHECK(d.ring.add(b, {}, nullptr));
  CHECK_FALSE(d.ring.add({b, 1}, {}, nullptr));
  (void)d.ring.publish();
  d.push(static_cast<u32>(d.pop()), 0);
  Used used;
  REQUIRE(d.ring.take(&used));
  CHECK(d.ring.add(b, {}, nullptr));
}

TEST_CASE("a device that lies about heads is ignored") {
  Device d(4, false);
  const Buffer b[] = {{0, 1}};
  int token = 0;
  REQUIRE(d.ring.add({}, b, &token));
  (void)d.ring.publish();
  const int head = d.pop();
  d.push(99, 1);
  d.push(static_cast<u32>(head + 1), 1);
  d.push(static_cast<u32>(head), 1);
  d.push(static_cast<u32>(head), 1);
  Used used;
  REQUIRE(d.ring.take(&used));
  CHECK(used.cookie == &token);
  CHECK_FALSE(d.ring.take(&used));
  CHECK(d.ring.free_count() == 4);
  CHECK(d.ring.in_flight() == 0);
}

TEST_CASE("event indices suppress notifications and interrupts") {
  Device d(8, true);
  const Buffer b[] = {{0, 1}};
  Used used;
  d.set_available_event(0);
  (void)d.ring.add({}, b, nullptr);
  CHECK(d.ring.publish());
  (void)d.ring.add({}, b, nullptr);
  CHECK_FALSE(d.ring.publish());  // the device has not asked again
  CHECK_FALSE(d.ring.publish());  // nothing new
  d.set_available_event(2);
  (void)d.ring.add({}, b, nullptr);
  CHECK(d.ring.publish());

  d.ring.disable_interrupts();
  d.push(static_cast<u32>(d.pop()), 0);
  CHECK_FALSE(d.interrupts_for_last_push());
  CHECK_FALSE(d.ring.enable_interrupts());  // one is there already
  REQUIRE(d.ring.take(&used));
  CHECK(d.ring.enable_interrupts());
  d.push(static_cast<u32>(d.pop()), 0);
  CHECK(d.interrupts_for_last_push());
  REQUIRE(d.ring.take(&used));
  (void)d.ring.add({}, b, nullptr);
  (void)d.ring.publish();
  CHECK(d.ring.enable_interrupts_after(2));
  d.push(static_cast<u32>(d.pop()), 0);
  CHECK_FALSE(d.interrupts_for_last_push());
  d.push(static_cast<u32>(d.pop()), 0);
  CHECK(d.interrupts_for_last_push());
}

TEST_CASE("random work loses nothing, past the wrap of the indices") {
  std::mt19937 random(7);
  for (const bool events : {false, true}) {
    Device d(16, events);
    std::set<usize> out;
    std::vector<int> held;
    usize next = 1;
    for (int round = 0; round < 200000; ++round) {
      const Buffer b[5] = {};
      const usize count = 1 + random() % 5;
      if (random() % 2 == 0 && d.ring.add({b, count}, {}, reinterpret_cast<void*>(next))) out.insert(next++);
      if (random() % 3 == 0) (void)d.ring.publish();
      for (int head = d.pop(); head >= 0; head = d.pop())
        held.push_back(head);
      if (!held.empty() && random() % 2 == 0) {
        const usize which = random() % held.size();  // in any order
        d.push(static_cast<u32>(held[which]), 0);
        held.erase(held.begin() + static_cast<isize>(which));
      }
      Used used;
      while (random() % 2 == 0 && d.ring.take(&used))
        REQUIRE(out.erase(reinterpret_cast<usize>(used.cookie)) == 1);
      REQUIRE(d.ring.in_flight() == out.size());
    }
    REQUIRE(next > 66000);
  }
}
