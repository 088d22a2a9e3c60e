// SPDX-License-Identifier: Apache-2.0
// Identifiers are made as Linux makes them: the lowest free index, and a sequence number that grows when an index is
// used again, in the bits above 15.
#include "kernel/ipc/object.hpp"

namespace uni::ipc {

namespace {
constexpr unsigned kIndexBits = 15;
constexpr u32 kHighestSequence = 0x7fffffff >> kIndexBits;
constexpr unsigned kCapSysAdmin = 21, kCapIpcOwner = 15;

bool in_group(const Credentials& who, u32 gid) {
  if (who.egid == gid) return true;
  for (const u32 g : who.groups) {
    if (g == gid) return true;
  }
  return false;
}
}  // namespace

void Object::own(const Credentials& who, i32 wanted_key, u32 wanted_mode) {
  key = wanted_key;
  uid = cuid = who.euid;
  gid = cgid = who.egid;
  mode = wanted_mode;
  changed = now_seconds();
}

bool permitted(const Object& object, const Credentials& who, u32 flags) {
  const u32 wanted = (flags >> 6) | (flags >> 3) | flags;
  u32 granted = object.mode;
  if (who.euid == object.cuid || who.euid == object.uid)
    granted >>= 6;
  else if (in_group(who, object.cgid) || in_group(who, object.gid))
    granted >>= 3;
  return (wanted & ~granted & 7) == 0 || who.capable(kCapIpcOwner);
}

bool owned_by(const Object& object, const Credentials& who) {
  return who.euid == object.cuid || who.euid == object.uid || who.capable(kCapSysAdmin);
}

Result<void> change_owner(Object& object, const Ownership& change) {
  constexpr u32 kNobody = ~u32{0};
  if (change.uid == kNobody || change.gid == kNobody) return Errno::Invalid;
  object.uid = change.uid;
  object.gid = change.gid;
  object.mode = (object.mode & ~u32{0777}) | (change.mode & 0777);
  object.changed = now_seconds();
  return {};
}

Object* ObjectTable::find(i32 id) const {
  if (id < 0) return nullptr;
  Object* object = at(id & (kEntries - 1));
  return object != nullptr && object->id == id ? object : nullptr;
}

Object* ObjectTable::with_key(i32 key) const {
  for (Object* o = buckets_[static_cast<u32>(key) % kBuckets]; o != nullptr; o = o->next_key) {
    if (o->key == key) return o;
  }
  return nullptr;
}

i32 ObjectTable::highest() const {
  for (i32 i = size_ - 1; i > 0; --i) {
    if (slots_[i] != nullptr) return i;
  }
  return 0;
}

Result<void> ObjectTable::grow() {
  if (size_ >= kEntries) return Errno::NoSpace;
  const i32 wanted = size_ == 0 ? 32 : size_ * 2;
  auto* fresh = new (std::nothrow) Object* [static_cast<usize>(wanted)] {};
  if (fresh == nullptr) return Errno::NoMemory;
  for (i32 i = 0; i < size_; ++i)
    fresh[i] = slots_[i];
  delete[] slots_;
  slots_ = fresh;
  size_ = wanted;
  return {};
}

Result<i32> ObjectTable::add(Object& object) {
  i32 index = first_free_;
  if (wanted_id >= 0) index = wanted_id & (kEntries - 1);
  while (index < size_ && slots_[index] != nullptr)
    ++index;
  while (index >= size_)
    TRY(grow());
  if (wanted_id >= 0) {
    sequence_ = static_cast<u32>(wanted_id) >> kIndexBits;
    wanted_id = -1;
  } else {
    if (index <= last_index_ && ++sequence_ >= kHighestSequence) sequence_ = 0;
    last_index_ = index;
    first_free_ = index + 1;
  }
  object.sequence = sequence_;
  object.id = static_cast<i32>(sequence_ << kIndexBits) + index;
  object.ref();
  slots_[index] = &object;
  ++count_;
  if (object.key != kPrivateKey) {
    object.next_key = *bucket(object.key);
    *bucket(object.key) = &object;
  }
  return object.id;
}

void ObjectTable::forget_key(Object& object) {
  if (object.key == kPrivateKey) return;
  Object** link = bucket(object.key);
  while (*link != &object)
    link = &(*link)->next_key;
  *link = object.next_key;
  object.key = kPrivateKey;
}

void ObjectTable::remove(Object& object) {
  forget_key(object);
  const i32 index = object.id & (kEntries - 1);
  slots_[index] = nullptr;
  first_free_ = min(first_free_, index);
  --count_;
  object.removed = true;
}

}  // namespace uni::ipc
