// SPDX-License-Identifier: Apache-2.0
// System V semaphores (semop(2)): sets of counters that are changed together or not at all. Who cannot go on is queued,
// and whoever changes a set carries out the queued operations that became possible, in order.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/ipc/object.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::ipc {

inline constexpr i32 kSemaphoreMost = 32767;  // SEMVMX
inline constexpr u16 kSemaphoreUndo = 0x1000;

// The layout of struct sembuf.
struct SemaphoreOperation {
  u16 number;
  i16 change;
  u16 flags;
};

struct Semaphore {
  i32 value = 0;
  u32 pid = 0;  // who changed it last
};

// What a process's end gives back.
struct Adjustments {
  ListNode node;
  Process* owner = nullptr;
  Vector<i16> values;
};

// On the stack of the thread that waits.
struct PendingOperations {
  static constexpr int kWaiting = -1;
  ListNode node;
  Span<const SemaphoreOperation> operations;
  const SemaphoreOperation* blocking = nullptr;
  Adjustments* adjustments = nullptr;  // null: no operation has SEM_UNDO
  u32 pid = 0;
  std::atomic<int> outcome{kWaiting};  // then 0, or an Errno's number
  WaitQueue queue;
};

struct SemaphoreSet final : Object {
  ~SemaphoreSet() override;
  Vector<Semaphore> semaphores;
  List<PendingOperations, &PendingOperations::node> pending;
  List<Adjustments, &Adjustments::node> adjustments;
  i64 operated = 0;

  // Carries out what has become possible. These need the lock.
  void advance();
  // How many wait for the semaphore to grow (or, `zero`, to become 0).
  u32 waiting(u16 number, bool zero) const;
  // A value set by semctl cancels the adjustments of it.
  void forget_adjustments(usize number);
};

SpinLock& semaphore_lock();
TableOf<SemaphoreSet>& semaphore_table();
u64 semaphores_in_use();  // needs the lock

Result<i32> get_semaphores(i32 key, i32 count, u32 flags);
// semop(2). May block. Errors: Again (IPC_NOWAIT, the deadline), Interrupted, IdentifierRemoved, Range, FileTooBig,
// Access, Invalid, NoMemory.
Result<void> operate(i32 id, Span<const SemaphoreOperation> operations, u64 deadline);
// IPC_RMID. Errors: Invalid, NotPermitted.
Result<void> remove_semaphores(i32 id);

}  // namespace uni::ipc
