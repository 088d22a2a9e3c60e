// SPDX-License-Identifier: Apache-2.0
// Clocks over the TSC, and the timer queues. The wall clock starts from the host's word (boot configuration) or the
// CMOS clock.
#include "kernel/time/clock.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/time/timer_queue.hpp"

namespace uni::time {
namespace {

u64 base_tsc = 0;
u64 mult = 0;     // ns = ticks * mult >> 32
u64 inverse = 0;  // ticks = ns * inverse >> 32
std::atomic<u64> offset{0};

u64 scale(u64 value, u64 by) {
  return static_cast<u64>((static_cast<unsigned __int128>(value) * by) >> 32);
}

u8 cmos(u8 reg) {
  arch::out8(0x70, reg);
  return arch::in8(0x71);
}

// Days since 1970 of a civil date (proleptic Gregorian).
i64 days_from_civil(i64 y, i64 m, i64 d) {
  y -= m <= 2 ? 1 : 0;
  const i64 era = y / 400;
  const i64 yoe = y - era * 400;
  const i64 doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

u64 cmos_seconds() {
  if (cmos(0x0d) == 0xff) return 0;  // no clock
  u8 v[6] = {cmos(0), cmos(2), cmos(4), cmos(7), cmos(8), cmos(9)};
  const u8 b = cmos(0x0b);
  if ((b & 4) == 0) {
    for (u8& x : v)
      x = static_cast<u8>((x & 15) + (x >> 4) * 10);
  }
  const i64 days = days_from_civil(2000 + v[5], v[4], v[3]);
  return static_cast<u64>(days * 86400 + v[2] * 3600 + v[1] * 60 + v[0]);
}

}  // namespace

void init_clock(u64 hint) {
  arch::calibrate();
  const u64 khz = arch::tsc_khz();
  mult = (u64{1000000} << 32) / khz;
  inverse = (khz << 32) / 1000000;  // khz is below 2^32
  base_tsc = arch::read_cycle_counter();
  offset = hint != 0 ? hint : cmos_seconds() * kSecond;
}

u64 monotonic_ns() {
  return scale(arch::read_cycle_counter() - base_tsc, mult);
}
u64 realtime_offset_ns() {
  return offset.load(std::memory_order_relaxed);
}
u64 realtime_ns() {
  return monotonic_ns() + realtime_offset_ns();
}
void set_realtime(u64 ns) {
  offset.store(ns - monotonic_ns(), std::memory_order_relaxed);
}
u64 cycles() {
  return arch::read_cycle_counter();
}
u64 cycles_to_ns(u64 c) {
  return scale(c, mult);
}
u64 tsc_at(u64 ns) {
  return base_tsc + scale(ns, inverse) + 1;
}
ClockScale clock_scale() {
  return {base_tsc, mult};
}

void TimerQueue::swap_at(usize a, usize b) {
  swap(heap_[a], heap_[b]);
  heap_[a]->heap_index_ = static_cast<u32>(a + 1);
  heap_[b]->heap_index_ = static_cast<u32>(b + 1);
}

void TimerQueue::sift_up(usize i) {
  while (i > 0 && heap_[i]->deadline_ < heap_[(i - 1) / 2]->deadline_) {
    swap_at(i, (i - 1) / 2);
    i = (i - 1) / 2;
  }
}

void TimerQueue::sift_down(usize i) {
  while (true) {
    usize least = i;
    for (usize child : {2 * i + 1, 2 * i + 2}) {
      if (child < heap_.size() && heap_[child]->deadline_ < heap_[least]->deadline_) least = child;
    }
    if (least == i) return;
    swap_at(i, least);
    i = least;
  }
}

void TimerQueue::remove_locked(Timer& t) {
  const usize i = t.heap_index_ - 1;
  swap_at(i, heap_.size() - 1);
  heap_.pop();
  t.heap_index_ = 0;
  if (i < heap_.size()) {
    sift_up(i);
    sift_down(i);
  }
}

// Sets the hardware to the earliest deadline. A hardware timer that fires early is harmless, so later deadlines are
// left alone.
void TimerQueue::program() {
  const u64 first = heap_.empty() ? kNever : heap_[0]->deadline_;
  if (first < programmed_) {
    programmed_ = first;
    arch::timer_program(tsc_at(first));
  }
}

void TimerQueue::arm(Timer& t, u64 deadline, u32 cpu) {
  LockGuard guard(lock_);
  if (t.heap_index_ != 0) remove_locked(t);
  t.deadline_ = deadline;
  t.cpu_ = cpu;
  if (deadline == kNever) return;
  if (!heap_.push(&t).ok()) return;  // out of memory for a pointer: the timer does not fire
  t.heap_index_ = static_cast<u32>(heap_.size());
  sift_up(heap_.size() - 1);
  program();
}

void TimerQueue::disarm(Timer& t) {
  LockGuard guard(lock_);
  if (t.heap_index_ != 0) remove_locked(t);
}

bool TimerQueue::cancel(Timer& t) {
  while (true) {
    {
      LockGuard guard(lock_);
      if (t.heap_index_ != 0) {
        remove_locked(t);
        return true;
      }
      if (running_ != &t || arch::this_cpu().timers == this) return false;
    }
    arch::cpu_relax();
  }
}

void TimerQueue::run_expired() {
  lock_.lock();
  programmed_ = kNever;
  const u64 now = monotonic_ns();
  while (!heap_.empty() && heap_[0]->deadline_ <= now) {
    Timer& t = *heap_[0];
    remove_locked(t);
    running_ = &t;
    const Timer::Callback callback = t.callback_;
    void* context = t.context_;
    lock_.unlock();
    callback(t, context);
    lock_.lock();
    running_ = nullptr;
  }
  program();
  lock_.unlock();
}

void init_cpu_timers(unsigned cpu) {
  auto* q = new (std::nothrow) TimerQueue;
  ASSERT(q != nullptr);  // the first allocations of a processor's life
  arch::cpu_at(cpu)->timers = q;
}

void run_expired_timers() {
  arch::this_cpu().timers->run_expired();
}

void Timer::arm(u64 deadline_ns) {
  // Its callback may be running there and want a lock that the caller holds: that is not waited for.
  if (heap_index_ != 0 && cpu_ != arch::this_cpu().id) arch::cpu_at(cpu_)->timers->disarm(*this);
  arch::this_cpu().timers->arm(*this, deadline_ns, arch::this_cpu().id);
}

bool Timer::cancel() {
  // An unarmed timer that never ran needs no lock; one that may be running is waited for.
  if (deadline_ == kNever && heap_index_ == 0) return false;
  arch::Cpu* cpu = arch::cpu_at(cpu_);
  return cpu != nullptr && cpu->timers != nullptr && cpu->timers->cancel(*this);
}

}  // namespace uni::time
