// SPDX-License-Identifier: Apache-2.0
// futex(2): wait, wake, requeue, wake-op, bitsets, timeouts. A waiter is queued under its bucket's lock before the word
// is read, and a waker changes the word before it takes that lock, so no wake-up is lost. The user word is read with
// the bucket lock dropped and the queue entry in place, because the read may fault; a wake that comes in between
// counts. Priority inheritance is in futex_pi.cpp, waiting at several words in futex_more.cpp.
#include "syscall-shim/linux/futex.hpp"

#include "kernel/sched/run_queue.hpp"

namespace uni::shim {
namespace futex {
namespace {

struct Bucket {
  SpinLock lock{Rank::kFutex};
  List<FutexWaiter, &FutexWaiter::node> waiters;
};

constexpr usize kBuckets = 64;
alignas(Bucket) unsigned char bucket_storage[kBuckets][sizeof(Bucket)];
std::atomic<bool> buckets_ready{false};
constinit SpinLock init_lock{Rank::kProcess};

u32 bucket_of(const Key& k) {
  const u64 mixed = (k.object ^ (k.offset >> 2)) * 0x9e3779b97f4a7c15;
  return static_cast<u32>(mixed >> 58);
}

Bucket& bucket_at(u32 i) {
  if (!buckets_ready.load(std::memory_order_acquire)) [[unlikely]] {
    LockGuard guard(init_lock);
    if (!buckets_ready.load(std::memory_order_relaxed)) {
      for (auto& s : bucket_storage)
        new (s) Bucket;
      buckets_ready.store(true, std::memory_order_release);
    }
  }
  return *std::launder(reinterpret_cast<Bucket*>(bucket_storage[i]));
}

}  // namespace

Result<Key> key_of(UserPtr<u32> word, bool is_private) {
  const u64 address = raw(word.address());
  if ((address & 3) != 0) return Errno::Invalid;
  if (!user_range_ok(word.address(), 4)) return Errno::Fault;
  // A shared word is looked up by its page, which has to be there.
  if (!is_private) TRY(load_user_u32(word.address()));
  return Process::current().space->futex_key(address, !is_private);
}

void queue(FutexWaiter& w) {
  const u32 at = bucket_of(w.key);
  w.bucket.store(at, std::memory_order_relaxed);
  Bucket& b = bucket_at(at);
  LockGuard guard(b.lock);
  b.waiters.push_back(w);
}

void unqueue(FutexWaiter& w) {
  while (true) {
    const u32 at = w.bucket.load(std::memory_order_acquire);
    Bucket& b = bucket_at(at);
    LockGuard guard(b.lock);
    if (w.bucket.load(std::memory_order_relaxed) != at) continue;
    if (w.node.linked()) List<FutexWaiter, &FutexWaiter::node>::remove(w);
    return;
  }
}

namespace {
// The waiter's storage is its thread's stack: `woken` is the last thing touched, and the thread is woken through its
// own reference.
void wake_waiter(FutexWaiter& w) {
  Thread* t = w.thread;
  List<FutexWaiter, &FutexWaiter::node>::remove(w);
  w.woken.store(true, std::memory_order_release);
  sched::wake(*t);
}
}  // namespace

bool has_plain_waiters(const Key& key) {
  Bucket& b = bucket_at(bucket_of(key));
  LockGuard guard(b.lock);
  for (const FutexWaiter& w : b.waiters)
    if (same(w.key, key)) return true;
  return false;
}

u32 wake_key(const Key& key, u32 count, u32 bitset) {
  Bucket& b = bucket_at(bucket_of(key));
  if (b.waiters.empty()) return 0;
  u32 woken = 0;
  LockGuard guard(b.lock);
  for (FutexWaiter& w : b.waiters) {
    if (woken >= count) break;
    if (!same(w.key, key) || (w.bitset & bitset) == 0) continue;
    wake_waiter(w);
    ++woken;
  }
  return woken;
}

Result<i64> wait(UserPtr<u32> word, bool is_private, u32 value, u32 bitset, u64 deadline, Errno interrupted) {
  if (bitset == 0) return Errno::Invalid;
  FutexWaiter w;
  w.key = TRY(key_of(word, is_private));
  w.bitset = bitset;
  Thread& self = Thread::current();
  w.thread = &self;
  queue(w);
  const auto now_value = load_user_u32(word.address());
  if (!now_value.ok() || now_value.value() != value) {
    unqueue(w);
    // A wake-up that this waiter took and does not need belongs to another.
    if (w.woken.load(std::memory_order_acquire)) return 0;
    if (!now_value.ok()) return Errno::Fault;
    return Errno::Again;
  }
  time::Timer timer([](time::Timer&, void* t) { sched::wake(*static_cast<Thread*>(t)); }, &self);
  Result<i64> result(i64{0});
  Errno failure{};
  while (true) {
    sched::prepare_sleep();
    if (w.woken.load(std::memory_order_acquire)) break;
    if (signal::pending(self)) {
      failure = interrupted;
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
  if (w.woken.load(std::memory_order_acquire)) {
    // The waker may still hold the bucket's lock with `w` in hand: pass through it before the stack frame goes.
    LockGuard guard(bucket_at(w.bucket.load(std::memory_order_acquire)).lock);
    return 0;
  }
  unqueue(w);
  if (w.woken.load(std::memory_order_acquire)) return 0;
  return failure;
}

namespace {
Result<u64> nanoseconds_at(u64 timeout) {
  const TimespecAbi t = TRY(UserPtr<TimespecAbi>(timeout).read());
  if (t.seconds < 0 || t.nanoseconds < 0 || t.nanoseconds >= 1000000000) return Errno::Invalid;
  if (t.seconds > 1'000'000'000'0) return time::kNever;
  return static_cast<u64>(t.seconds) * time::kSecond + static_cast<u64>(t.nanoseconds);
}
}  // namespace

Result<u64> absolute_deadline(u64 timeout, Clock clock) {
  if (timeout == 0) return time::kNever;
  const u64 ns = TRY(nanoseconds_at(timeout));
  if (ns == time::kNever || clock == Clock::kMonotonic) return ns;
  const u64 offset = time::realtime_offset_ns();
  return ns > offset ? ns - offset : 0;
}

i64 requeue(const Key& from, const Key& to, u32 wake_count, u32 move_count) {
  const u32 a = bucket_of(from), b = bucket_of(to);
  Bucket& first = bucket_at(min(a, b));
  Bucket& second = bucket_at(max(a, b));
  first.lock.lock();
  if (a != b) second.lock.lock();
  i64 touched = 0;
  u32 woken = 0, moved = 0;
  Bucket& source = bucket_at(a);
  Bucket& target = bucket_at(b);
  for (FutexWaiter& w : source.waiters) {
    if (!same(w.key, from)) continue;
    if (woken < wake_count) {
      wake_waiter(w);
      ++woken;
      ++touched;
    } else if (moved < move_count) {
      if (same(from, to)) {
        ++moved;
        ++touched;
        continue;
      }
      List<FutexWaiter, &FutexWaiter::node>::remove(w);
      w.key = to;
      w.bucket.store(b, std::memory_order_release);
      target.waiters.push_back(w);
      ++moved;
      ++touched;
      if (a == b) continue;
    } else {
      break;
    }
  }
  if (a != b) second.lock.unlock();
  first.lock.unlock();
  return touched;
}

namespace {
Result<i64> wake_op(UserPtr<u32> word, UserPtr<u32> word2, bool is_private, u32 count, u32 count2, u32 encoded) {
  const Key key = TRY(key_of(word, is_private));
  const Key key2 = TRY(key_of(word2, is_private));
  const u32 op = (encoded >> 28) & 7;
  const bool shift = ((encoded >> 31) & 1) != 0;
  const u32 compare = (encoded >> 24) & 15;
  auto sign_extend = [](u32 v) { return static_cast<i32>(v << 20) >> 20; };
  const i32 compare_argument = sign_extend(encoded & 0xfff);
  u32 argument = static_cast<u32>(sign_extend((encoded >> 12) & 0xfff));
  if (shift) argument = u32{1} << (argument & 31);
  u32 old = TRY(load_user_u32(word2.address()));
  while (true) {
    u32 fresh;
    switch (op) {
      case 0:
        fresh = argument;
        break;
      case 1:
        fresh = old + argument;
        break;
      case 2:
        fresh = old | argument;
        break;
      case 3:
        fresh = old & ~argument;
        break;
      case 4:
        fresh = old ^ argument;
        break;
      default:
        return Errno::NoSys;
    }
    const u32 seen = TRY(cmpxchg_user_u32(word2.address(), old, fresh));
    if (seen == old) break;
    old = seen;
  }
  const auto value = static_cast<i32>(old);
  bool met;
  switch (compare) {
    case 0:
      met = value == compare_argument;
      break;
    case 1:
      met = value != compare_argument;
      break;
    case 2:
      met = value < compare_argument;
      break;
    case 3:
      met = value <= compare_argument;
      break;
    case 4:
      met = value > compare_argument;
      break;
    case 5:
      met = value >= compare_argument;
      break;
    default:
      return Errno::NoSys;
  }
  i64 woken = wake_key(key, count, ~0u);
  if (met) woken += wake_key(key2, count2, ~0u);
  return woken;
}

}  // namespace
}  // namespace futex

using namespace futex;

// futex(2).
Result<i64> sys_futex(UserPtr<u32> word, i32 operation, u32 value, u64 timeout_or_value2, UserPtr<u32> word2,
                      u32 value3) {
  enum {
    kWait,
    kWake,
    kFd,
    kRequeue,
    kCmpRequeue,
    kWakeOp,
    kLockPi,
    kUnlockPi,
    kTryLockPi,
    kWaitBitset,
    kWakeBitset,
    kWaitRequeuePi,
    kCmpRequeuePi,
    kLockPi2
  };
  constexpr i32 kPrivate = 128, kClockRealtime = 256;
  const bool is_private = (operation & kPrivate) != 0;
  const bool realtime = (operation & kClockRealtime) != 0;
  const Clock clock = realtime ? Clock::kRealtime : Clock::kMonotonic;
  const i32 command = operation & ~(kPrivate | kClockRealtime);
  const auto value2 = static_cast<u32>(timeout_or_value2);
  // A timeout is read before anything else.
  u64 deadline = time::kNever;
  switch (command) {
    case kWait:
      if (timeout_or_value2 != 0) deadline = time::deadline_after(TRY(nanoseconds_at(timeout_or_value2)));
      break;
    case kWaitBitset:
    case kWaitRequeuePi:
    case kLockPi2:
      deadline = TRY(absolute_deadline(timeout_or_value2, clock));
      break;
    case kLockPi:
      deadline = TRY(absolute_deadline(timeout_or_value2, Clock::kRealtime));
      break;
    default:
      break;
  }
  if (realtime && command != kWaitBitset && command != kWaitRequeuePi && command != kLockPi2) return Errno::NoSys;
  // With a relative timeout a restart would wait too long: EINTR after any handler.
  const Errno interrupted = command == kWait && timeout_or_value2 != 0 ? Errno::RestartNoHand : Errno::RestartSys;
  switch (command) {
    case kWait:
      return wait(word, is_private, value, ~0u, deadline, interrupted);
    case kWaitBitset:
      return wait(word, is_private, value, value3, deadline, interrupted);
    case kWake:
    case kWakeBitset: {
      const u32 bitset = command == kWake ? ~0u : value3;
      if (bitset == 0) return Errno::Invalid;
      const Key key = TRY(key_of(word, is_private));
      // As on Linux one is woken whatever the count.
      return i64{wake_key(key, static_cast<i32>(value) < 1 ? 1 : value, bitset)};
    }
    case kRequeue:
    case kCmpRequeue: {
      if (static_cast<i32>(value) < 0 || static_cast<i32>(value2) < 0) return Errno::Invalid;
      const Key from = TRY(key_of(word, is_private));
      const Key to = TRY(key_of(word2, is_private));
      if (command == kCmpRequeue && TRY(load_user_u32(word.address())) != value3) return Errno::Again;
      return requeue(from, to, value, value2);
    }
    case kWakeOp:
      return wake_op(word, word2, is_private, value, value2, value3);
    case kLockPi:
    case kLockPi2:
      return lock_pi(word, is_private, deadline, false);
    case kTryLockPi:
      return lock_pi(word, is_private, time::kNever, true);
    case kUnlockPi:
      return unlock_pi(word, is_private);
    case kWaitRequeuePi:
      return wait_requeue_pi(word, is_private, value, deadline, word2);
    case kCmpRequeuePi:
      return cmp_requeue_pi(word, is_private, static_cast<i32>(value), static_cast<i32>(value2), word2, value3);
    default:
      return Errno::NoSys;
  }
}

void futex_wake_word(u64 address, u32 count) {
  Process& p = Process::current();
  (void)wake_key(Key{reinterpret_cast<u64>(p.space.get()), address}, count, ~0u);
  const auto shared = p.space->futex_key(address, true);
  if (shared.ok() && shared.value().object != reinterpret_cast<u64>(p.space.get()))
    (void)wake_key(shared.value(), count, ~0u);
}

}  // namespace uni::shim
