// SPDX-License-Identifier: Apache-2.0
// The futex calls after futex(2): futex_waitv(2), futex_wait(2), futex_wake(2), futex_requeue(2). Words are 32 bits
// wide; other sizes and memory nodes are refused with EINVAL, as by Linux without them.
#include "kernel/sched/run_queue.hpp"
#include "syscall-shim/linux/futex.hpp"

namespace uni::shim {

using namespace futex;

namespace {

constexpr u32 kSizeMask = 3, kSize32 = 2, kPrivate = 128;
constexpr u32 kMostWaits = 128;
constexpr i32 kClockRealtime = 0, kClockMonotonic = 1;

Result<bool> is_private(u32 flags) {
  if ((flags & ~(kSizeMask | kPrivate)) != 0 || (flags & kSizeMask) != kSize32) return Errno::Invalid;
  return (flags & kPrivate) != 0;
}

Result<u64> deadline_on(u64 timeout, i32 clock) {
  if (timeout == 0) return time::kNever;
  if (clock != kClockRealtime && clock != kClockMonotonic) return Errno::Invalid;
  return absolute_deadline(timeout, clock == kClockRealtime ? Clock::kRealtime : Clock::kMonotonic);
}

// Takes all waiters out of their queues; gives the last that was woken, or -1.
i64 unqueue_all(Vector<FutexWaiter*>& waiters) {
  i64 woken = -1;
  for (usize i = 0; i < waiters.size(); ++i) {
    unqueue(*waiters[i]);
    if (waiters[i]->woken.load(std::memory_order_acquire)) woken = static_cast<i64>(i);
  }
  return woken;
}

bool any_woken(const Vector<FutexWaiter*>& waiters) {
  for (const FutexWaiter* w : waiters)
    if (w->woken.load(std::memory_order_acquire)) return true;
  return false;
}

Result<i64> wait_any(Vector<FutexWaiter*>& waiters, u64 deadline) {
  Thread& self = Thread::current();
  time::Timer timer([](time::Timer&, void* t) { sched::wake(*static_cast<Thread*>(t)); }, &self);
  Errno failure{};
  while (true) {
    sched::prepare_sleep();
    if (any_woken(waiters)) break;
    if (signal::pending(self)) {
      failure = Errno::RestartSys;
      break;
    }
    if (deadline != time::kNever) {
      if (time::monotonic_ns() >= deadline) {
        failure = Errno::TimedOut;
        break;
      }
      if (!timer.armed()) timer.arm(deadline);
    }
    sched::schedule();
  }
  sched::cancel_sleep();
  const i64 woken = unqueue_all(waiters);
  if (woken >= 0) return woken;
  return failure;
}

}  // namespace

// futex_waitv(2).
Result<i64> sys_futex_waitv(UserPtr<FutexWaitAbi> user, u32 count, u32 flags, u64 timeout, i32 clock) {
  if (flags != 0 || count == 0 || count > kMostWaits || !user) return Errno::Invalid;
  const u64 deadline = TRY(deadline_on(timeout, clock));
  Vector<FutexWaitAbi> wanted;
  TRY(wanted.resize(count));
  TRY(copy_from_user(wanted.data(), user.address(), count * sizeof(FutexWaitAbi)));
  for (const FutexWaitAbi& w : wanted) {
    if (w.reserved != 0) return Errno::Invalid;
    TRY(is_private(w.flags));
  }
  auto* storage = new (std::nothrow) FutexWaiter[count];
  if (storage == nullptr) return Errno::NoMemory;
  ScopeGuard release([storage] { delete[] storage; });
  Vector<FutexWaiter*> queued;
  for (u32 i = 0; i < count; ++i) {
    const bool own = TRY(is_private(wanted[i].flags));
    storage[i].key = TRY(key_of(UserPtr<u32>(wanted[i].address), own));
    storage[i].thread = &Thread::current();
    TRY(queued.push(&storage[i]));
  }
  for (FutexWaiter* w : queued)
    queue(*w);
  for (u32 i = 0; i < count; ++i) {
    const auto now = load_user_u32(UserAddr{wanted[i].address});
    if (now.ok() && now.value() == static_cast<u32>(wanted[i].value)) continue;
    const i64 woken = unqueue_all(queued);
    if (woken >= 0) return woken;
    return now.ok() ? Errno::Again : Errno::Fault;
  }
  return wait_any(queued, deadline);
}

// futex_wait(2), of Linux 6.7.
Result<i64> sys_futex_wait(UserPtr<u32> word, u64 value, u64 mask, u32 flags, u64 timeout, i32 clock) {
  const bool own = TRY(is_private(flags));
  if (value > ~u32{0} || mask > ~u32{0}) return Errno::Invalid;
  const u64 deadline = TRY(deadline_on(timeout, clock));
  return futex::wait(word, own, static_cast<u32>(value), static_cast<u32>(mask), deadline, Errno::RestartSys);
}

// futex_wake(2).
Result<i64> sys_futex_wake(UserPtr<u32> word, u64 mask, i32 count, u32 flags) {
  const bool own = TRY(is_private(flags));
  if (mask == 0 || mask > ~u32{0}) return Errno::Invalid;
  const Key key = TRY(key_of(word, own));
  if (count <= 0) return 0;
  return i64{wake_key(key, static_cast<u32>(count), static_cast<u32>(mask))};
}

// futex_requeue(2): from the first of two words, where it holds its value, to the second.
Result<i64> sys_futex_requeue(UserPtr<FutexWaitAbi> user, u32 flags, i32 wake_count, i32 move_count) {
  if (flags != 0 || !user) return Errno::Invalid;
  FutexWaitAbi two[2];
  TRY(copy_from_user(two, user.address(), sizeof two));
  for (const FutexWaitAbi& w : two) {
    if (w.reserved != 0) return Errno::Invalid;
    TRY(is_private(w.flags));
  }
  if (wake_count < 0 || move_count < 0) return Errno::Invalid;
  const UserPtr<u32> word(two[0].address);
  const bool own = TRY(is_private(two[0].flags));
  const bool own_target = TRY(is_private(two[1].flags));
  const Key from = TRY(key_of(word, own));
  const Key to = TRY(key_of(UserPtr<u32>(two[1].address), own_target));
  if (TRY(load_user_u32(word.address())) != static_cast<u32>(two[0].value)) return Errno::Again;
  return requeue(from, to, static_cast<u32>(wake_count), static_cast<u32>(move_count));
}

}  // namespace uni::shim
