// SPDX-License-Identifier: Apache-2.0
// What kernel code needs when it runs on the host: pages from the heap (so ASan sees every byte too many), a clock, a
// log that counts. One thread runs, so a lock that is not free is a deadlock and aborts.
#include <sys/random.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "fakes.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/time/clock.hpp"

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
void WaitQueue::wake_one(u32) {}
void WaitQueue::wake_all(u32) {}

namespace mm {
namespace {
struct HostPage : Page {
  void* data;
};
u64 live = 0;
}  // namespace

Page* alloc_page(Zero zero) {
  auto* p = new HostPage();
  p->data = std::aligned_alloc(kPageSize, kPageSize);
  __builtin_memset(p->data, zero == Zero::kYes ? 0 : 0xAA, kPageSize);
  p->refs = 1;
  ++live;
  return p;
}
void get_page(Page& page) {
  page.refs.fetch_add(1);
}
void put_page(Page& page) {
  if (page.refs.fetch_sub(1) != 1) return;
  auto* p = static_cast<HostPage*>(&page);
  std::free(p->data);
  delete p;
  --live;
}
void* address_of(const Page& page) {
  return static_cast<const HostPage&>(page).data;
}
MemoryStats memory_stats() {
  return {32768, 32768 - live, 0, live};
}
}  // namespace mm

namespace time {
u64 realtime_ns() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<u64>(t.tv_sec) * kSecond + static_cast<u64>(t.tv_nsec);
}
u64 monotonic_ns() {
  return realtime_ns();
}
}  // namespace time

namespace random {
void fill(void* out, usize size) {
  if (getrandom(out, size, 0) != static_cast<ssize_t>(size)) std::abort();
}
u64 next_u64() {
  u64 n;
  fill(&n, sizeof n);
  return n;
}
}  // namespace random

namespace sched {
void preempt_point() {}
}  // namespace sched

namespace log {
bool verbose() {
  return false;
}
void write_line(Level, StringView text) {
  ++test::log_lines;
  if (test::show_log) std::fprintf(stderr, "log: %.*s\n", static_cast<int>(text.size()), text.data());
}
}  // namespace log

namespace test {
unsigned log_lines = 0;
bool show_log = false;
u64 live_pages() {
  return mm::live;
}
}  // namespace test
}  // namespace uni
