// SPDX-License-Identifier: Apache-2.0
// The rest of the kernel as the VFS needs it: one thread without a process, for which a wait that would block ends with
// a signal. A "user" address is a host address, or below the first page a bad one.
#include <cstring>

#include "kernel/mm/vm_object.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sync/wait_queue.hpp"

extern "C" {
uni::usize user_copy(void* to, const void* from, uni::usize size) {
  const auto bad = [](const void* p) { return reinterpret_cast<uni::u64>(p) < uni::kPageSize; };
  if (bad(to) || bad(from)) return size;
  std::memcpy(to, from, size);
  return 0;
}
uni::usize user_clear(void* to, uni::usize size) {
  if (reinterpret_cast<uni::u64>(to) < uni::kPageSize) return size;
  std::memset(to, 0, size);
  return 0;
}
uni::isize user_string(char* to, const char* from, uni::usize capacity) {
  for (uni::usize i = 0; i < capacity; ++i) {
    to[i] = from[i];
    if (from[i] == '\0') return static_cast<uni::isize>(i);
  }
  return static_cast<uni::isize>(capacity);
}
uni::u64 user_load32(const uni::u32* from) {
  return *from;
}
uni::u64 user_cmpxchg32(uni::u32* at, uni::u32, uni::u32) {
  return *at;
}
}

namespace uni {

// SAFETY: nothing of it is used but the null process, which says "kernel thread".
Thread& Thread::current() {
  alignas(Thread) static unsigned char storage[sizeof(Thread)] = {};
  return reinterpret_cast<Thread&>(storage);
}

namespace signal {
Result<void> send(Thread&, const Info&) {
  return {};
}
}  // namespace signal

Wake WaitQueue::wait_slow(bool (*)(void*), void*, u64, Sleep, bool) {
  return Wake::kSignal;
}

namespace mm {
void VmObject::unmap_pages(u64, u64) {}
void VmObject::write_protect(u64) {}
void set_reclaim(Reclaim) {}
Page* alloc_pages(unsigned, Zero) {
  return nullptr;
}
}  // namespace mm

namespace fs {
void epoll_file_dying(File&) {}
void async_file_dying(File&) {}
// Nobody asks for messages here.
Result<void> expect_messages(File&, int) {
  return {};
}
void tell_message(File&) {}
}  // namespace fs

}  // namespace uni
