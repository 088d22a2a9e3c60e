// SPDX-License-Identifier: Apache-2.0
// futex(2), "Priority-inheritance futexes". A lock's word holds its owner's thread ID; a free lock is taken and given
// back in user mode. Here are the locks that somebody waits for. One mutex guards them all, so that words can be
// changed, which may fault and block, while the lists stand still; the program takes it only where locks are contended.
//  - An unlock hands the lock to the waiter of the highest priority: the word never says "free" while somebody waits.
//  - The owner runs at least at the priority of whoever waits for it (sched::set_boost), along chains of locks.
//  - Where the owner ended, its heir writes the word itself, because only it surely has it mapped.
#include "kernel/sched/run_queue.hpp"
#include "kernel/sync/mutex.hpp"
#include "syscall-shim/linux/futex.hpp"

namespace uni::shim::futex {
namespace {

constexpr u32 kWaiters = 0x80000000, kOwnerDied = 0x40000000, kTidMask = 0x3fffffff;

struct PiState;

// On its thread's stack; under g_lock but for `woken`, which the thread looks at before it sleeps.
struct PiWaiter {
  enum class Outcome : u8 { kNone, kOwner, kHeir };  // kHeir: the word is still to be written
  Thread* thread = nullptr;
  PiState* state = nullptr;  // that it waits for; null while it waits for a requeue
  PiWaiter* next = nullptr;
  Outcome outcome = Outcome::kNone;
  std::atomic<bool> woken{false};
  // For FUTEX_WAIT_REQUEUE_PI.
  Key condition{}, target{};
  bool requeued = false;
};

struct PiState {
  Key key;
  RefPtr<Thread> owner;
  PiWaiter* waiters = nullptr;  // in order of arrival
  bool inherited = false;       // the owner has not yet written the word
  PiState* next = nullptr;
};

constinit PiState* g_states = nullptr;
constinit PiWaiter* g_parked = nullptr;  // FUTEX_WAIT_REQUEUE_PI, not requeued yet
constinit std::atomic<bool> g_any{false};

Mutex& pi_lock() {
  alignas(Mutex) static constinit unsigned char storage[sizeof(Mutex)] = {};
  static constinit std::atomic<Mutex*> made{nullptr};
  static constinit SpinLock once{Rank::kProcess};
  if (Mutex* there = made.load(std::memory_order_acquire)) return *there;
  LockGuard guard(once);
  if (made.load(std::memory_order_relaxed) == nullptr) made.store(new (storage) Mutex, std::memory_order_release);
  return *made.load(std::memory_order_relaxed);
}

PiState* find(const Key& key) {
  for (PiState* s = g_states; s != nullptr; s = s->next)
    if (same(s->key, key)) return s;
  return nullptr;
}

Result<PiState*> make(const Key& key, RefPtr<Thread> owner) {
  auto* made = new (std::nothrow) PiState{key, move(owner), nullptr, false, g_states};
  if (made == nullptr) return Errno::NoMemory;
  g_states = made;
  g_any.store(true, std::memory_order_relaxed);
  return made;
}

// The priority that a thread gets from those who wait for it.
u8 wanted_boost(const Thread& owner) {
  u8 highest = 0;
  for (const PiState* s = g_states; s != nullptr; s = s->next) {
    if (s->owner.get() != &owner) continue;
    for (const PiWaiter* w = s->waiters; w != nullptr; w = w->next)
      highest = max(highest, w->thread->priority);
  }
  return highest;
}

// Passes priorities on until nothing changes; a chain is at most as long as there are locks.
void spread_boosts() {
  u32 rounds = 0;
  for (bool changed = true; changed && rounds < 64; ++rounds) {
    changed = false;
    for (PiState* s = g_states; s != nullptr; s = s->next) {
      if (!s->owner) continue;
      const u8 boost = wanted_boost(*s->owner);
      if (boost == s->owner->boost) continue;
      sched::set_boost(*s->owner, boost);
      changed = true;
    }
  }
}

void drop_if_idle(PiState& state) {
  if (state.waiters != nullptr || state.inherited) return;
  for (PiState** at = &g_states; *at != nullptr; at = &(*at)->next) {
    if (*at != &state) continue;
    *at = state.next;
    break;
  }
  const RefPtr<Thread> owner = state.owner;
  delete &state;
  g_any.store(g_states != nullptr, std::memory_order_relaxed);
  if (owner) sched::set_boost(*owner, wanted_boost(*owner));
}

void append(PiWaiter*& list, PiWaiter& w) {
  PiWaiter** at = &list;
  while (*at != nullptr)
    at = &(*at)->next;
  w.next = nullptr;
  *at = &w;
}

bool remove(PiWaiter*& list, PiWaiter& w) {
  for (PiWaiter** at = &list; *at != nullptr; at = &(*at)->next) {
    if (*at != &w) continue;
    *at = w.next;
    return true;
  }
  return false;
}

PiWaiter* highest(const PiState& state) {
  PiWaiter* best = state.waiters;
  for (PiWaiter* w = best; w != nullptr; w = w->next)
    if (w->thread->priority > best->thread->priority) best = w;
  return best;
}

// The thread may return, and its waiter go, as soon as it is told.
void wake(PiWaiter& w, PiWaiter::Outcome outcome) {
  Thread* thread = w.thread;
  w.outcome = outcome;
  w.woken.store(true, std::memory_order_release);
  sched::wake(*thread);
}

// Makes the first of the waiters the owner.
PiWaiter& pass_on(PiState& state) {
  PiWaiter& heir = *highest(state);
  remove(state.waiters, heir);
  const RefPtr<Thread> before = state.owner;
  state.owner = RefPtr<Thread>(heir.thread);
  heir.state = nullptr;
  if (before) sched::set_boost(*before, wanted_boost(*before));
  spread_boosts();
  return heir;
}

// Would waiting for `owner` be waiting for oneself?
bool closes_circle(const Thread* owner, const Thread& self) {
  for (u32 depth = 0; owner != nullptr && depth < 1024; ++depth) {
    if (owner == &self) return true;
    const Thread* next = nullptr;
    for (const PiState* s = g_states; s != nullptr && next == nullptr; s = s->next)
      for (const PiWaiter* w = s->waiters; w != nullptr; w = w->next)
        if (w->thread == owner) next = s->owner.get();
    owner = next;
  }
  return false;
}

enum class Took : u8 { kLock, kWaits };

// Takes the lock for `thread` or queues its waiter (null: only tries, and gives Again). May block.
Result<Took> take_or_queue(UserPtr<u32> word, const Key& key, Thread& thread, PiWaiter* waiter) {
  const u32 tid = raw(thread.tid());
  while (true) {
    const u32 value = TRY(load_user_u32(word.address()));
    const u32 owner = value & kTidMask;
    if (owner == tid) return Errno::Deadlock;
    PiState* state = find(key);
    if (state == nullptr && owner == 0) {
      const u32 seen = TRY(cmpxchg_user_u32(word.address(), value, (value & kOwnerDied) | tid));
      if (seen == value) return Took::kLock;
      continue;
    }
    if (state == nullptr || !state->inherited) {
      // The word must name the thread that the kernel knows as the owner, and that one must live.
      if (state != nullptr && raw(state->owner->tid()) != owner) return Errno::Invalid;
      RefPtr<Thread> holder = Process::find_thread(Tid{owner});
      if (!holder || holder->gave_up_locks) {
        if (TRY(load_user_u32(word.address())) != value) continue;
        return Errno::NoProcess;
      }
      if (holder->is_kernel()) return Errno::NotPermitted;
      if (waiter == nullptr) return Errno::Again;
      const u32 seen = TRY(cmpxchg_user_u32(word.address(), value, value | kWaiters));
      if (seen != value) continue;
      if (state == nullptr) state = TRY(make(key, move(holder)));
    }
    if (waiter == nullptr) return Errno::Again;
    if (closes_circle(state->owner.get(), thread)) {
      drop_if_idle(*state);
      return Errno::Deadlock;
    }
    waiter->state = state;
    append(state->waiters, *waiter);
    spread_boosts();
    return Took::kWaits;
  }
}

// The heir of a thread that ended writes its name into the word.
Result<void> write_inherited(UserPtr<u32> word, const Key& key, Thread& self) {
  PiState* state = find(key);
  if (state == nullptr) return {};
  while (true) {
    const auto value = load_user_u32(word.address());
    if (!value.ok()) break;
    const u32 mine = (value.value() & kOwnerDied) | raw(self.tid()) | (state->waiters != nullptr ? kWaiters : 0);
    const auto seen = cmpxchg_user_u32(word.address(), value.value(), mine);
    if (!seen.ok()) break;
    if (seen.value() != value.value()) continue;
    state->inherited = false;
    drop_if_idle(*state);
    return {};
  }
  state->inherited = false;
  drop_if_idle(*state);
  return Errno::Fault;
}

// Sleeps until woken; gives the reason where it was not.
Wake sleep(PiWaiter& w, u64 deadline) {
  Thread& self = Thread::current();
  time::Timer timer([](time::Timer&, void* t) { sched::wake(*static_cast<Thread*>(t)); }, &self);
  Wake result = Wake::kReady;
  while (true) {
    sched::prepare_sleep();
    if (w.woken.load(std::memory_order_acquire)) break;
    if (signal::pending(self)) {
      result = Wake::kSignal;
      break;
    }
    if (deadline != time::kNever) {
      if (time::monotonic_ns() >= deadline) {
        result = Wake::kTimedOut;
        break;
      }
      if (!timer.armed()) timer.arm(deadline);
    }
    sched::schedule();
  }
  sched::cancel_sleep();
  return result;
}

// Waits for what `w` is queued for. Gives kReady where the lock is the caller's; else the waiter is off all lists.
Result<Wake> wait_for_lock(PiWaiter& w, UserPtr<u32> word, const Key& key, u64 deadline) {
  const Wake why = sleep(w, deadline);
  LockGuard guard(pi_lock());
  if (w.outcome == PiWaiter::Outcome::kOwner) return Wake::kReady;
  if (w.outcome == PiWaiter::Outcome::kHeir) {
    TRY(write_inherited(word, key, *w.thread));
    return Wake::kReady;
  }
  PiState* state = w.state;
  remove(state->waiters, w);
  const RefPtr<Thread> owner = state->owner;
  drop_if_idle(*state);
  if (owner) sched::set_boost(*owner, wanted_boost(*owner));
  spread_boosts();
  return why;
}

}  // namespace

// FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI.
Result<i64> lock_pi(UserPtr<u32> word, bool is_private, u64 deadline, bool only_try) {
  const Key key = TRY(key_of(word, is_private));
  PiWaiter w;
  w.thread = &Thread::current();
  {
    LockGuard guard(pi_lock());
    if (TRY(take_or_queue(word, key, *w.thread, only_try ? nullptr : &w)) == Took::kLock) return 0;
  }
  switch (TRY(wait_for_lock(w, word, key, deadline))) {
    case Wake::kReady:
      return 0;
    case Wake::kTimedOut:
      return Errno::TimedOut;
    case Wake::kSignal:
      return Errno::RestartNoIntr;
  }
  return 0;
}

// FUTEX_UNLOCK_PI.
Result<i64> unlock_pi(UserPtr<u32> word, bool is_private) {
  const u32 tid = raw(Thread::current().tid());
  u32 value = TRY(load_user_u32(word.address()));
  if ((value & kTidMask) != tid) return Errno::NotPermitted;
  const Key key = TRY(key_of(word, is_private));
  LockGuard guard(pi_lock());
  PiState* state = find(key);
  if (state != nullptr && state->owner.get() != &Thread::current()) return Errno::Invalid;
  while (true) {
    value = TRY(load_user_u32(word.address()));
    if ((value & kTidMask) != tid) return Errno::NotPermitted;
    const bool contended = state != nullptr && state->waiters != nullptr;
    u32 fresh = 0;
    if (contended) {
      PiWaiter* heir = highest(*state);
      fresh = raw(heir->thread->tid()) | (state->waiters->next != nullptr ? kWaiters : 0);
    }
    if (TRY(cmpxchg_user_u32(word.address(), value, fresh)) != value) continue;
    if (!contended) return 0;
    PiWaiter& heir = pass_on(*state);
    drop_if_idle(*state);
    wake(heir, PiWaiter::Outcome::kOwner);
    return 0;
  }
}

// FUTEX_WAIT_REQUEUE_PI: waits at a condition until a requeue moves it to the lock, and then for that.
Result<i64> wait_requeue_pi(UserPtr<u32> word, bool is_private, u32 value, u64 deadline, UserPtr<u32> target) {
  if (word.address() == target.address()) return Errno::Invalid;
  PiWaiter w;
  w.thread = &Thread::current();
  w.target = TRY(key_of(target, is_private));
  w.condition = TRY(key_of(word, is_private));
  if (same(w.target, w.condition)) return Errno::Invalid;
  {
    LockGuard guard(pi_lock());
    if (TRY(load_user_u32(word.address())) != value) return Errno::Again;
    append(g_parked, w);
  }
  const Wake why = sleep(w, deadline);
  {
    LockGuard guard(pi_lock());
    if (w.outcome == PiWaiter::Outcome::kOwner) return 0;
    if (w.outcome == PiWaiter::Outcome::kHeir) {
      TRY(write_inherited(target, w.target, *w.thread));
      return 0;
    }
    if (!w.requeued) {
      remove(g_parked, w);
      return why == Wake::kTimedOut ? Errno::TimedOut : Errno::RestartNoIntr;
    }
    PiState* state = w.state;
    remove(state->waiters, w);
    const RefPtr<Thread> owner = state->owner;
    drop_if_idle(*state);
    if (owner) sched::set_boost(*owner, wanted_boost(*owner));
    spread_boosts();
  }
  return why == Wake::kTimedOut ? Errno::TimedOut : Errno::Again;
}

// FUTEX_CMP_REQUEUE_PI: gives the lock to the first waiter where it is free, and lets the others wait for it.
Result<i64> cmp_requeue_pi(UserPtr<u32> word, bool is_private, i32 wake_count, i32 move_count, UserPtr<u32> target,
                           u32 value) {
  if (wake_count < 0 || move_count < 0) return Errno::Invalid;
  if (word.address() == target.address() || wake_count != 1) return Errno::Invalid;
  const Key from = TRY(key_of(word, is_private));
  const Key to = TRY(key_of(target, is_private));
  if (same(from, to)) return Errno::Invalid;
  LockGuard guard(pi_lock());
  if (TRY(load_user_u32(word.address())) != value) return Errno::Again;
  if (has_plain_waiters(from)) return Errno::Invalid;
  i64 touched = 0;
  while (touched < i64{wake_count} + move_count) {
    PiWaiter* best = nullptr;
    for (PiWaiter* w = g_parked; w != nullptr; w = w->next) {
      if (!same(w->condition, from)) continue;
      if (!same(w->target, to)) return Errno::Invalid;
      if (best == nullptr || w->thread->priority > best->thread->priority) best = w;
    }
    if (best == nullptr) break;
    remove(g_parked, *best);
    const auto took = take_or_queue(target, to, *best->thread, best);
    if (!took.ok()) {
      append(g_parked, *best);
      return touched != 0 ? Result<i64>(touched) : Result<i64>(took.error());
    }
    best->requeued = true;
    if (took.value() == Took::kLock) wake(*best, PiWaiter::Outcome::kOwner);
    ++touched;
  }
  return touched;
}

void owner_exits(Thread& thread) {
  LockGuard guard(pi_lock());
  thread.gave_up_locks = true;
  for (PiState* s = g_states; s != nullptr; s = s->next) {
    if (s->owner.get() != &thread || s->waiters == nullptr) continue;
    s->inherited = true;
    wake(pass_on(*s), PiWaiter::Outcome::kHeir);
  }
}

void priorities_changed() {
  if (!g_any.load(std::memory_order_relaxed)) return;
  LockGuard guard(pi_lock());
  spread_boosts();
}

}  // namespace uni::shim::futex
