// SPDX-License-Identifier: Apache-2.0
// What the futex files share.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim::futex {

using Key = mm::AddressSpace::FutexKey;
inline bool same(const Key& a, const Key& b) {
  return a.object == b.object && a.offset == b.offset;
}

// One waiting of a thread at a word.
struct FutexWaiter {
  ListNode node;
  Thread* thread = nullptr;
  Key key{};
  u32 bitset = ~0u;
  std::atomic<bool> woken{false};
  std::atomic<u32> bucket{0};  // which bucket it is queued in; changed by requeue under both locks
};
// Queues it at its key. Its storage must stay until unqueue() has run, woken or not.
void queue(FutexWaiter& waiter);
void unqueue(FutexWaiter& waiter);
u32 wake_key(const Key& key, u32 count, u32 bitset);
i64 requeue(const Key& from, const Key& to, u32 wake_count, u32 move_count);
Result<i64> wait(UserPtr<u32> word, bool is_private, u32 value, u32 bitset, u64 deadline, Errno interrupted);

// Errors: Invalid (not aligned), Fault.
Result<Key> key_of(UserPtr<u32> word, bool is_private);
enum class Clock : u8 { kMonotonic, kRealtime };
// A monotonic deadline of an absolute timeout at `timeout` (0: never). Errors: Fault, Invalid.
Result<u64> absolute_deadline(u64 timeout, Clock clock);
// Does a plain waiter (FUTEX_WAIT) wait at the key?
bool has_plain_waiters(const Key& key);

// Priority inheritance (futex_pi.cpp). `deadline` is monotonic.
Result<i64> lock_pi(UserPtr<u32> word, bool is_private, u64 deadline, bool only_try);
Result<i64> unlock_pi(UserPtr<u32> word, bool is_private);
Result<i64> wait_requeue_pi(UserPtr<u32> word, bool is_private, u32 value, u64 deadline, UserPtr<u32> target);
Result<i64> cmp_requeue_pi(UserPtr<u32> word, bool is_private, i32 wake, i32 move, UserPtr<u32> target, u32 value);
// A thread that ends gives what it holds to whoever waits for it.
void owner_exits(Thread& thread);
// Threads' priorities were changed: what they wait for passes it on.
void priorities_changed();

}  // namespace uni::shim::futex
