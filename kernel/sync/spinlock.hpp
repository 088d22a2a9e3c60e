// SPDX-License-Identifier: Apache-2.0
// Spin locks. Rules:
//  - The kernel runs with interrupts off except in user mode, in the idle loop and at sched::preempt_point(), so a lock
//  needs
//    no interrupt-saving variant, and an interrupt handler may take any lock: it never interrupts a holder.
//  - Nothing blocks while a spin lock is held. A waiter answers TLB shoot-downs while it spins.
//  - Locks are taken in growing Rank; debug builds check it.
#pragma once

#include <atomic>

#include "kernel/base/types.hpp"

namespace uni {

// The lock order, outermost first.
enum class Rank : u8 {
  kProcessTree,  // parents, children, groups, sessions
  kProcess,      // a process's thread list
  kFileTable,
  kEpoll,   // an epoll instance's lists
  kFlight,  // descriptors that travel through AF_UNIX sockets
  kSocketTable,
  kNetCore,       // the TCP/IP stack
  kSocket,        // a socket's own queues, AF_UNIX
  kPipe,          // pipes, eventfd, timerfd, signalfd, tty
  kAddressSpace,  // the list of mappings
  kPageTable,
  kInodeCache,
  kInode,  // spin-protected fields of an inode
  kPageCache,
  kBlock,
  kDevice,  // a virtqueue
  kFutex,
  kSignal,  // a process's signal state
  kMutex,   // inside a Mutex
  kWaitQueue,
  kWaitQueueInner,  // an epoll's own queue, woken from a file's queue
  kTimer,
  kRunQueue,
  kSlab,
  kPages,
  kLog,
  kLeaf,  // takes nothing further
};

class SpinLock {
 public:
  explicit constexpr SpinLock(Rank rank) : rank_(rank) {}
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock() {
    if (locked_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      lock_slow();
#ifdef UNI_DEBUG_LOCKS
    note_locked();
#endif
  }
  bool try_lock() {
    if (locked_.exchange(true, std::memory_order_acquire)) return false;
#ifdef UNI_DEBUG_LOCKS
    note_held();  // against the order, too: who only tries cannot deadlock
#endif
    return true;
  }
  void unlock() {
#ifdef UNI_DEBUG_LOCKS
    note_unlocked();
#endif
    locked_.store(false, std::memory_order_release);
  }
  Rank rank() const {
    return rank_;
  }

 private:
  void lock_slow();
  void note_locked();
  void note_held();
  void note_unlocked();
  std::atomic<bool> locked_{false};
  Rank rank_;
};

// Holds a lock (SpinLock or Mutex) for a scope.
template <typename L>
class [[nodiscard]] LockGuard {
 public:
  explicit LockGuard(L& lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  L& lock_;
};

// Data that can be reached only under its lock: guarded.with([](T& data) { ... }).
template <typename T, Rank kRank>
class Guarded {
 public:
  template <typename... Args>
  explicit constexpr Guarded(Args&&... args) : data_(static_cast<Args&&>(args)...) {}
  template <typename F>
  decltype(auto) with(F action) {
    LockGuard guard(lock_);
    return action(data_);
  }

 private:
  SpinLock lock_{kRank};
  T data_;
};

}  // namespace uni
