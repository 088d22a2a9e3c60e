// SPDX-License-Identifier: Apache-2.0
// Wait queues where nobody else runs: observers are called as in the kernel, a wait that would block times out. A lock
// that is not free is a deadlock and aborts.
#include <cstdio>
#include <cstdlib>

#include "kernel/arch/cpu.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni {

void panic(const char* message, const char* file, int line) {
  std::fprintf(stderr, "panic: %s at %s:%d\n", message, file, line);
  std::abort();
}

void Mutex::lock_slow() {
  PANIC("mutex deadlock");
}
void SpinLock::lock_slow() {
  PANIC("spin lock deadlock");
}

Waiter::~Waiter() {
  if (queue != nullptr) queue->remove(*this);
}

void WaitQueue::add(Waiter& waiter) {
  waiter.queue = this;
  if (waiter.exclusive)
    waiters_.push_back(waiter);
  else
    waiters_.push_front(waiter);
}

void WaitQueue::remove(Waiter& waiter) {
  if (waiter.node.linked()) List<Waiter, &Waiter::node>::remove(waiter);
  waiter.queue = nullptr;
}

void WaitQueue::wake(u32 events, bool one) {
  for (Waiter& w : waiters_) {
    if ((w.interest & events) == 0) continue;
    if (w.on_wake_(w, events) && w.exclusive && one) return;
  }
}

void WaitQueue::wake_all(u32 events) {
  wake(events, false);
}
void WaitQueue::wake_one(u32 events) {
  wake(events, true);
}

Wake WaitQueue::wait_slow(bool (*ready)(void*), void* context, u64, Sleep, bool) {
  return ready(context) ? Wake::kReady : Wake::kTimedOut;
}

void arch::cpu_relax() {}

u64 time::monotonic_ns() {
  return 1;
}

// A File that supports nothing.
namespace fs {

File::~File() = default;
void async_file_dying(File&) {}
Inode* File::inode() {
  return nullptr;
}
Result<usize> File::read(IoCursor&, u64) {
  return Errno::Invalid;
}
Result<usize> File::write(IoCursor&, u64) {
  return Errno::Invalid;
}
u32 File::poll() {
  return 0;
}
Result<i64> File::ioctl(u32, u64) {
  return Errno::NotTty;
}
Result<u64> File::seek(i64, int) {
  return Errno::IllegalSeek;
}
Result<void> File::stat(Stat&) {
  return Errno::Invalid;
}
Result<void> File::truncate(u64) {
  return Errno::Invalid;
}
Result<void> File::sync(bool) {
  return Errno::Invalid;
}
Result<void> File::allocate(int, u64, u64) {
  return Errno::Invalid;
}
Result<RefPtr<mm::VmObject>> File::vm_object() {
  return Errno::NoDevice;
}
Result<usize> File::read_directory(IoCursor&) {
  return Errno::NotDirectory;
}
usize File::describe(Span<char>) {
  return 0;
}

}  // namespace fs

}  // namespace uni
