// SPDX-License-Identifier: Apache-2.0
// What System V's shared memory, semaphores and message queues have in common (sysvipc(7)): an identity, an owner, a
// table from identifiers to objects. Objects belong to the machine, not to a process. Locking: each family has one spin
// lock, over its table and over its objects.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::ipc {

inline constexpr i32 kPrivateKey = 0;  // IPC_PRIVATE
enum GetFlag : u32 { kCreate = 01000, kExclusive = 02000 };
inline constexpr u32 kNoWait = 04000;                    // IPC_NOWAIT
inline constexpr u32 kMayRead = 0444, kMayWrite = 0222;  // for permitted()

inline i64 now_seconds() {
  return static_cast<i64>(time::realtime_ns() / time::kSecond);
}

struct Object : RefCounted {
  i32 key = kPrivateKey;
  i32 id = -1;
  u32 uid = 0, gid = 0, cuid = 0, cgid = 0;
  u32 mode = 0;
  u32 sequence = 0;
  i64 changed = 0;       // seconds since 1970
  bool removed = false;  // IPC_RMID: who waits on it gets EIDRM
  Object* next_key = nullptr;

  void own(const Credentials& who, i32 wanted_key, u32 wanted_mode);
};

// `flags` holds the wanted access in any of the three classes of bits.
bool permitted(const Object& object, const Credentials& who, u32 flags);
// May `who` change or remove the object?
bool owned_by(const Object& object, const Credentials& who);
struct Ownership {
  u32 uid, gid, mode;
};
// IPC_SET. Errors: Invalid.
Result<void> change_owner(Object& object, const Ownership& change);

// Objects by identifier: the index in the table and a sequence number, so that an old identifier finds nothing. Holds a
// reference on each. Needs the family's lock.
class ObjectTable {
 public:
  static constexpr i32 kEntries = 32768;
  constexpr ObjectTable() = default;

  Object* at(i32 index) const { return index >= 0 && index < size_ ? slots_[index] : nullptr; }
  Object* find(i32 id) const;
  Object* with_key(i32 key) const;
  // Gives the identifier. Errors: NoMemory, NoSpace.
  Result<i32> add(Object& object);
  // The object keeps its identifier; its reference is the caller's.
  void remove(Object& object);
  // The object can be found by identifier only (a segment that waits for its last detach).
  void forget_key(Object& object);

  i32 highest() const;  // the highest index in use, 0 where there is none
  i32 size() const { return size_; }
  u32 count() const { return count_; }
  // kernel.*_next_id: what the next object shall be called; -1: as it comes.
  i32 wanted_id = -1;

 private:
  Result<void> grow();
  static constexpr usize kBuckets = 128;
  Object** bucket(i32 key) { return &buckets_[static_cast<u32>(key) % kBuckets]; }
  Object** slots_ = nullptr;
  i32 size_ = 0, first_free_ = 0, last_index_ = -1;
  u32 count_ = 0, sequence_ = 0;
  Object* buckets_[kBuckets] = {};
};

template <typename T>
class TableOf : public ObjectTable {
 public:
  T* at(i32 index) const { return static_cast<T*>(ObjectTable::at(index)); }
  T* find(i32 id) const { return static_cast<T*>(ObjectTable::find(id)); }
  T* with_key(i32 key) const { return static_cast<T*>(ObjectTable::with_key(key)); }
};

// The family's get call: finds the key's object or makes one. check(object) looks at what is asked of an existing one;
// make() gives Result<RefPtr<T>>. Needs the family's lock. Errors: NoEntry, Exists, Access, and those of the two.
template <typename T, typename Check, typename Make>
Result<i32> get(TableOf<T>& table, i32 key, u32 flags, const Credentials& who, Check check, Make make) {
  T* found = key == kPrivateKey ? nullptr : table.with_key(key);
  if (found != nullptr) {
    if ((flags & (kCreate | kExclusive)) == (kCreate | kExclusive)) return Errno::Exists;
    TRY(check(*found));
    if (!permitted(*found, who, flags)) return Errno::Access;
    return found->id;
  }
  if (key != kPrivateKey && (flags & kCreate) == 0) return Errno::NoEntry;
  RefPtr<T> made = TRY(make());
  made->own(who, key, flags & 0777);
  return table.add(*made);
}

// The object that an XX_STAT or IPC_STAT command names. Errors: Invalid.
enum class Name : u8 { kId, kIndex };
template <typename T>
Result<T*> named(const TableOf<T>& table, i32 number, Name name) {
  T* found = name == Name::kIndex ? table.at(number) : table.find(number);
  if (found == nullptr) return Errno::Invalid;
  return found;
}

// Gives back what a process holds when it ends: semaphore adjustments (SEM_UNDO) are applied. Mappings and descriptors
// go with the address space and the file table. kernel/ipc/semaphores.cpp.
void process_exit(Process& process);

}  // namespace uni::ipc
