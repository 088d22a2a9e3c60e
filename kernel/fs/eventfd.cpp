// SPDX-License-Identifier: Apache-2.0
// The counter is one atomic word: readers and writers need no lock of their own, and who waits is woken through the
// queue, whose lock orders the change before the look for waiters.
#include "kernel/fs/eventfd.hpp"

#include "kernel/base/format.hpp"
#include "kernel/fs/anonymous.hpp"

namespace uni::fs {

namespace {
constexpr u64 kMost = ~u64{0} - 1;  // the largest value of the counter
}

// What a read gets; 0 when there is nothing.
u64 EventFd::take() {
  u64 now = count_.load(std::memory_order_relaxed);
  while (now != 0) {
    const u64 taken = mode_ == Mode::kSemaphore ? 1 : now;
    if (count_.compare_exchange_weak(now, now - taken, std::memory_order_seq_cst)) return taken;
  }
  return 0;
}

bool EventFd::give(u64 value) {
  u64 now = count_.load(std::memory_order_relaxed);
  do {
    if (value > kMost - now) return false;
  } while (!count_.compare_exchange_weak(now, now + value, std::memory_order_seq_cst));
  return true;
}

Result<usize> EventFd::read(IoCursor& to, u64) {
  if (to.remaining() < sizeof(u64)) return Errno::Invalid;
  u64 value = take();
  if (value == 0) {
    if (must_not_wait(to)) return Errno::Again;
    if (queue_.wait([&] { return (value = take()) != 0; }) != Wake::kReady) return Errno::RestartSys;
  }
  queue_.wake_all(kPollOut | kPollWrNorm);
  return to.put(&value, sizeof value);
}

Result<usize> EventFd::write(IoCursor& from, u64) {
  if (from.remaining() < sizeof(u64)) return Errno::Invalid;
  u64 value = 0;
  if (TRY(from.take(&value, sizeof value)) != sizeof value) return Errno::Fault;
  if (value > kMost) return Errno::Invalid;
  if (!give(value)) {
    if (must_not_wait(from)) return Errno::Again;
    if (queue_.wait([&] { return give(value); }) != Wake::kReady) return Errno::RestartSys;
  }
  queue_.wake_all(kPollIn | kPollRdNorm);
  return sizeof value;
}

u32 EventFd::poll() {
  const u64 now = count_.load(std::memory_order_seq_cst);
  u32 bits = 0;
  if (now != 0) bits |= kPollIn;
  if (now < kMost) bits |= kPollOut;
  return bits;
}

usize EventFd::describe(Span<char> out) {
  return describe_anonymous("[eventfd]", out);
}

void EventFd::describe_info(Writer& out) {
  format(out, "eventfd-count: {:>16x}\neventfd-semaphore: {}\n", count_.load(std::memory_order_relaxed),
         mode_ == Mode::kSemaphore ? 1 : 0);
}

}  // namespace uni::fs
