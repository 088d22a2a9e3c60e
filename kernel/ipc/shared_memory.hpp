// SPDX-License-Identifier: Apache-2.0
// System V shared memory (shmop(2)). A segment counts its attachments by the mappings of its memory, so fork, partial
// unmapping and a process's end need nothing of their own.
#pragma once

#include "kernel/ipc/object.hpp"
#include "kernel/mm/vm_object.hpp"

namespace uni::ipc {

struct Segment final : Object, mm::MappingObserver {
  static constexpr u32 kDoomed = 01000, kLocked = 02000;  // SHM_DEST and SHM_LOCKED, in mode

  RefPtr<mm::VmObject> memory;
  u64 size = 0;
  i64 attached = 0, detached = 0;
  u32 creator = 0, last = 0;  // processes
  u32 attaching = 0;          // shmat calls under way, and holds

  u64 pages() const { return page_up(size) >> kPageShift; }
  u64 attachments() const { return memory->mapping_count() + attaching; }
  void mapping_added() override;
  void mapping_removed() override;
  u64 observed_pages() const override { return pages(); }
  usize describe(Span<char> out) const override;
  Fate hold() override;
  void let_go() override;
};

SpinLock& segment_lock();
TableOf<Segment>& segment_table();
u64 segment_pages();  // of all segments; needs the lock

enum AttachFlag : u32 { kReadOnly = 010000, kRound = 020000, kRemap = 040000, kExecute = 0100000 };

Result<i32> get_segment(i32 key, u64 size, u32 flags);
// shmat(2): gives the address. Errors: Invalid, Access, IdentifierRemoved, NoMemory.
Result<u64> attach(i32 id, u64 address, u32 flags);
// IPC_RMID: now, or with the last detach. Errors: Invalid, NotPermitted.
Result<void> remove_segment(i32 id);

}  // namespace uni::ipc
