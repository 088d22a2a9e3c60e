// SPDX-License-Identifier: Apache-2.0
#include "kernel/ipc/semaphores.hpp"

#include "kernel/ipc/limits.hpp"

namespace uni::ipc {

namespace {
constinit SpinLock lock{Rank::kPipe};
constinit TableOf<SemaphoreSet> table;
constinit u64 in_use = 0;
constinit std::atomic<u32> all_adjustments{0};

enum class Attempt : u8 { kDone, kBlocks, kNotNow, kOutOfRange };  // kNotNow: would block, with IPC_NOWAIT

Errno error_of(Attempt a) {
  return a == Attempt::kNotNow ? Errno::Again : Errno::Range;
}

bool apply(SemaphoreSet& set, const SemaphoreOperation& op, Adjustments* adjustments, Attempt& outcome) {
  Semaphore& s = set.semaphores[op.number];
  const i32 value = s.value + op.change;
  if (value < 0 || (op.change == 0 && s.value != 0)) {
    outcome = (op.flags & kNoWait) != 0 ? Attempt::kNotNow : Attempt::kBlocks;
    return false;
  }
  if (value > kSemaphoreMost) {
    outcome = Attempt::kOutOfRange;
    return false;
  }
  if ((op.flags & kSemaphoreUndo) != 0) {
    const i32 undo = adjustments->values[op.number] - op.change;
    if (undo < -kSemaphoreMost - 1 || undo > kSemaphoreMost) {
      outcome = Attempt::kOutOfRange;
      return false;
    }
    adjustments->values[op.number] = static_cast<i16>(undo);
  }
  s.value = value;
  return true;
}

void take_back(SemaphoreSet& set, const SemaphoreOperation& op, Adjustments* adjustments) {
  set.semaphores[op.number].value -= op.change;
  if ((op.flags & kSemaphoreUndo) != 0)
    adjustments->values[op.number] = static_cast<i16>(adjustments->values[op.number] + op.change);
}

// All of the operations or none; remembers which one is in the way.
Attempt attempt(SemaphoreSet& set, PendingOperations& p) {
  Attempt outcome = Attempt::kDone;
  for (usize i = 0; i < p.operations.size(); ++i) {
    if (apply(set, p.operations[i], p.adjustments, outcome)) continue;
    p.blocking = &p.operations[i];
    while (i-- > 0)
      take_back(set, p.operations[i], p.adjustments);
    return outcome;
  }
  for (const SemaphoreOperation& op : p.operations)
    set.semaphores[op.number].pid = p.pid;
  set.operated = now_seconds();
  return outcome;
}

void finish(PendingOperations& p, int outcome) {
  p.outcome.store(outcome, std::memory_order_release);
  p.queue.wake_all();
}

// Errors: NoMemory.
Result<Adjustments*> adjustments_of(SemaphoreSet& set, Process& process) {
  for (Adjustments& a : set.adjustments) {
    if (a.owner == &process) return &a;
  }
  auto made = TRY(make_own<Adjustments>());
  made->owner = &process;
  TRY(made->values.resize(set.semaphores.size()));
  Adjustments* kept = made.release();
  set.adjustments.push_back(*kept);
  all_adjustments.fetch_add(1, std::memory_order_relaxed);
  return kept;
}

void drop(Adjustments& a) {
  List<Adjustments, &Adjustments::node>::remove(a);
  delete &a;
  all_adjustments.fetch_sub(1, std::memory_order_relaxed);
}

bool changes(Span<const SemaphoreOperation> operations) {
  for (const SemaphoreOperation& op : operations) {
    if (op.change != 0) return true;
  }
  return false;
}
}  // namespace

SemaphoreSet::~SemaphoreSet() {
  while (Adjustments* a = adjustments.front())
    drop(*a);
}

void SemaphoreSet::advance() {
  PendingOperations* p = pending.front();
  while (p != nullptr) {
    PendingOperations* following = pending.next(*p);
    const Attempt result = attempt(*this, *p);
    if (result != Attempt::kBlocks) {
      // What it changed may let those before it go on.
      if (result == Attempt::kDone && changes(p->operations)) following = nullptr;
      List<PendingOperations, &PendingOperations::node>::remove(*p);
      finish(*p, result == Attempt::kDone ? 0 : static_cast<int>(error_of(result)));
      if (following == nullptr) following = pending.front();
    }
    p = following;
  }
}

u32 SemaphoreSet::waiting(u16 number, bool zero) const {
  u32 count = 0;
  for (PendingOperations* p = pending.front(); p != nullptr; p = pending.next(*p)) {
    if (p->blocking->number == number && (zero ? p->blocking->change == 0 : p->blocking->change < 0)) ++count;
  }
  return count;
}

void SemaphoreSet::forget_adjustments(usize number) {
  for (Adjustments& a : adjustments)
    a.values[number] = 0;
}

SpinLock& semaphore_lock() {
  return lock;
}
TableOf<SemaphoreSet>& semaphore_table() {
  return table;
}
u64 semaphores_in_use() {
  return in_use;
}

Result<i32> get_semaphores(i32 key, i32 count, u32 flags) {
  const Credentials& who = Process::current().credentials;
  if (count < 0 || static_cast<u64>(count) > limits.semaphores_a_set) return Errno::Invalid;
  const auto wanted = static_cast<usize>(count);
  usize added = 0;
  LockGuard guard(lock);
  Result<i32> id = get(
      table, key, flags, who,
      [&](SemaphoreSet& set) -> Result<void> {
        if (wanted > set.semaphores.size()) return Errno::Invalid;
        return {};
      },
      [&]() -> Result<RefPtr<SemaphoreSet>> {
        if (wanted == 0) return Errno::Invalid;
        if (in_use + wanted > limits.semaphores || table.count() >= limits.semaphore_sets) return Errno::NoSpace;
        auto made = TRY(make_ref<SemaphoreSet>());
        TRY(made->semaphores.resize(wanted));
        added = wanted;
        return made;
      });
  if (id.ok()) in_use += added;
  return id;
}

Result<void> operate(i32 id, Span<const SemaphoreOperation> operations, u64 deadline) {
  Process& process = Process::current();
  RefPtr<SemaphoreSet> set;
  PendingOperations pending;
  pending.operations = operations;
  pending.pid = raw(process.pid());
  {
    LockGuard guard(lock);
    set = RefPtr<SemaphoreSet>(TRY(named(table, id, Name::kId)));
    bool undo = false, alters = false;
    usize highest = 0;
    for (const SemaphoreOperation& op : operations) {
      highest = max<usize>(highest, op.number);
      undo = undo || (op.flags & kSemaphoreUndo) != 0;
      alters = alters || op.change != 0;
    }
    if (highest >= set->semaphores.size()) return Errno::FileTooBig;
    if (!permitted(*set, process.credentials, alters ? kMayWrite : kMayRead)) return Errno::Access;
    if (undo) pending.adjustments = TRY(adjustments_of(*set, process));
    const Attempt first = attempt(*set, pending);
    if (first == Attempt::kDone) {
      if (alters) set->advance();
      return {};
    }
    if (first != Attempt::kBlocks) return error_of(first);
    set->pending.push_back(pending);
  }
  const auto finished = [&] { return pending.outcome.load(std::memory_order_acquire) != PendingOperations::kWaiting; };
  const Wake woken = pending.queue.wait(finished, deadline);
  // With the lock nobody is left who would still wake us.
  LockGuard guard(lock);
  if (!finished()) {
    List<PendingOperations, &PendingOperations::node>::remove(pending);
    return woken == Wake::kTimedOut ? Errno::Again : Errno::Interrupted;
  }
  if (const int outcome = pending.outcome.load(std::memory_order_relaxed); outcome != 0)
    return static_cast<Errno>(outcome);
  return {};
}

Result<void> remove_semaphores(i32 id) {
  RefPtr<SemaphoreSet> gone;
  LockGuard guard(lock);
  SemaphoreSet* set = TRY(named(table, id, Name::kId));
  if (!owned_by(*set, Process::current().credentials)) return Errno::NotPermitted;
  table.remove(*set);
  gone = RefPtr<SemaphoreSet>::adopt(set);
  in_use -= set->semaphores.size();
  while (PendingOperations* p = set->pending.pop_front())
    finish(*p, static_cast<int>(Errno::IdentifierRemoved));
  while (Adjustments* a = set->adjustments.front())
    drop(*a);
  return {};
}

void process_exit(Process& process) {
  if (all_adjustments.load(std::memory_order_relaxed) == 0) return;
  LockGuard guard(lock);
  for (i32 index = 0; index < table.size(); ++index) {
    SemaphoreSet* set = table.at(index);
    if (set == nullptr) continue;
    for (Adjustments& a : set->adjustments) {
      if (a.owner != &process) continue;
      for (usize i = 0; i < a.values.size(); ++i) {
        if (a.values[i] == 0) continue;
        Semaphore& s = set->semaphores[i];
        s.value = min(max(s.value + a.values[i], 0), kSemaphoreMost);
        s.pid = raw(process.pid());
      }
      drop(a);
      set->operated = now_seconds();
      set->advance();
      break;
    }
  }
}

}  // namespace uni::ipc
