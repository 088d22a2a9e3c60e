// SPDX-License-Identifier: Apache-2.0
// The order of the runnable threads of one processor. Bucket n holds virtual times of n units of 2^kShift cycles,
// modulo the number of buckets; the window of kBuckets around the base is kept by cutting off what lies outside of it.
#include "kernel/sched/run_queue.hpp"

namespace uni::sched {

void ReadyQueue::insert_slow(Thread& t, Place place) {
  if (Thread* only = exchange(only_, nullptr)) insert_slow(*only, Place::kLast);
  if (t.priority > 0) {
    t.queued_at = kBuckets;
    for (Thread& other : real_time_) {
      if (other.priority < t.priority || (place == Place::kFirst && other.priority == t.priority)) {
        real_time_.insert_before(other, t);
        return;
      }
    }
    real_time_.push_back(t);
    return;
  }
  const u64 middle = base() >> kShift;
  const u64 lowest = (middle - kBehind) << kShift;
  const u64 highest = (middle + (kBuckets - kBehind - 1)) << kShift;
  if (static_cast<i64>(t.virtual_time - lowest) < 0)
    t.virtual_time = lowest;
  else if (static_cast<i64>(t.virtual_time - highest) > 0)
    t.virtual_time = highest;
  const auto at = static_cast<u32>(t.virtual_time >> kShift) % kBuckets;
  t.queued_at = static_cast<u8>(at);
  used_[at / 64] |= u64{1} << (at % 64);
  if (place == Place::kFirst)
    buckets_[at].push_front(t);
  else
    buckets_[at].push_back(t);
}

void ReadyQueue::remove_slow(Thread& t) {
  Threads::remove(t);
  const u32 at = t.queued_at;
  if (at < kBuckets && buckets_[at].empty()) used_[at / 64] &= ~(u64{1} << (at % 64));
}

}  // namespace uni::sched
