// SPDX-License-Identifier: Apache-2.0
// Entering and removing names in directory blocks. A removed entry's room goes to the one before it; the first entry
// of a block is emptied instead.
#include "kernel/fs/ext4/directory.hpp"

namespace uni::fs::ext4 {

void Directory::init_leaf(const BufferRef& buffer) {
  auto* e = buffer.at<DirEntry>(0);
  *e = {0, static_cast<u16>(leaf_end()), 0, 0};
  if (ext4().checksums()) *buffer.at<DirTail>(leaf_end()) = {0, sizeof(DirTail), 0, kDirTailType, 0};
  buffer.changed();
}

void Directory::init_node(const BufferRef& buffer) {
  *buffer.at<DirEntry>(0) = {0, static_cast<u16>(ext4().block_size()), 0, 0};
  IndexView{buffer.data(), kIndexNodeEntries}.set_limit_count(index_limit(kIndexNodeEntries), 0);
  buffer.changed();
}

Result<BufferRef> Directory::append_block(u32& logical, u32 role) {
  logical = blocks();
  LockGuard guard(map_lock);
  u64 goal = ext4().goal_for(ino());
  if (logical > 0) {
    const Mapping before = TRY(find_mapping(*this, logical - 1));
    if (!before.hole()) goal = before.physical + (logical - before.logical);
  }
  const Ext4::Run run = TRY(ext4().allocate_blocks(goal, 1));
  auto buffer = ext4().buffers().create(run.first, {BlockKind::kDirectory, seed(), role});
  Result<void> entered = buffer.ok() ? insert_mapping(*this, {logical, 1, run.first, false}) : buffer.error();
  if (!entered.ok()) {
    if (buffer.ok()) buffer.value().reset();
    ext4().buffers().forget(run.first);
    ext4().free_blocks(run.first, 1).take();
    return entered.error();
  }
  add_blocks(1);
  put_size(u64{logical + 1} << ext4().geometry().block_shift);
  return buffer;
}

Result<void> Directory::add_to_block(const BufferRef& buffer, StringView name, u32 number, FileType type) {
  const usize needed = entry_bytes(name.size());
  EntryWalk walk(buffer.data(), leaf_end());
  while (DirEntry* e = walk.next()) {
    const usize used = e->inode == 0 ? 0 : entry_bytes(e->name_length);
    if (e->inode != 0 && same_name(*e, name)) return Errno::Exists;
    if (e->record_length < used + needed) continue;
    DirEntry* fresh = e;
    if (used != 0) {
      fresh = buffer.at<DirEntry>(walk.offset() + used);
      fresh->record_length = static_cast<u16>(e->record_length - used);
      e->record_length = static_cast<u16>(used);
    }
    fresh->inode = number;
    fresh->name_length = static_cast<u8>(name.size());
    fresh->type = ext4().entry_types() ? entry_type(type) : u8{0};
    __builtin_memcpy(name_of(*fresh), name.data(), name.size());
    buffer.changed();
    return {};
  }
  return walk.damaged() ? damaged() : Errno::NoSpace;
}

Result<void> Directory::add(StringView name, u32 number, FileType type) {
  if (name.size() > kNameMax) return Errno::NameTooLong;
  if (indexed()) {
    auto added = add_indexed(name, number, type);
    if (added.ok() || added.error() != Errno::NotSupported) return added;
    // The index cannot be used: without it the same blocks are a linear directory, once its nodes look like leaves.
    TRY(drop_index());
  }
  for (u32 i = 0; i < blocks(); ++i) {
    const BufferRef buffer = TRY(block(i));
    auto added = add_to_block(buffer, name, number, type);
    if (added.ok() || added.error() != Errno::NoSpace) return added;
  }
  if (blocks() == 1 && ext4().indexes()) {
    TRY(make_index());
    return add_indexed(name, number, type);
  }
  u32 logical;
  const BufferRef fresh = TRY(append_block(logical, kPlainDir));
  init_leaf(fresh);
  return add_to_block(fresh, name, number, type);
}

Result<void> Directory::remove(StringView name, u32 number) {
  const Found found = TRY(find(name));
  DirEntry& e = found.entry();
  if (e.inode != number) return damaged();
  if (found.previous != found.offset) {
    auto* previous = found.buffer.at<DirEntry>(found.previous);
    previous->record_length = static_cast<u16>(previous->record_length + e.record_length);
  } else {
    e.inode = 0;
  }
  found.buffer.changed();
  return {};
}

Result<bool> Directory::empty() {
  for (u32 i = 0; i < blocks(); ++i) {
    const BufferRef buffer = TRY(block(i));
    const usize index = index_offset(buffer.data(), ext4().block_size(), role(i));
    if (index == kIndexNodeEntries) continue;
    EntryWalk walk(buffer.data(), index != 0 ? ext4().block_size() : leaf_end());
    while (const DirEntry* e = walk.next()) {
      const StringView name(name_of(*e), e->name_length);
      if (e->inode != 0 && name != "."_sv && name != ".."_sv) return false;
    }
    if (walk.damaged()) return damaged();
  }
  return true;
}

// Makes ".." lead to another directory.
Result<void> Directory::set_parent(u32 number) {
  BufferRef first = TRY(block(0));
  const Found found = TRY(find_in(uni::move(first), ".."));
  found.entry().inode = number;
  found.buffer.changed();
  return {};
}

// Makes an indexed directory linear: inner nodes become leaves without entries.
Result<void> Directory::drop_index() {
  for (u32 i = 0; i < blocks(); ++i) {
    BufferRef buffer = TRY(block(i));
    const usize index = index_offset(buffer.data(), ext4().block_size(), role(i));
    if (index == kIndexNodeEntries) {
      init_leaf(buffer);
    } else if (index == kIndexRootEntries) {
      // ".." reaches over the index to the end of the block; a leaf's ends before the checksum.
      EntryWalk walk(buffer.data(), ext4().block_size());
      DirEntry* last = nullptr;
      usize at = 0;
      while (DirEntry* e = walk.next()) {
        last = e;
        at = walk.offset();
      }
      if (walk.damaged() || last == nullptr || at >= leaf_end()) return damaged();
      last->record_length = static_cast<u16>(leaf_end() - at);
      if (ext4().checksums()) *buffer.at<DirTail>(leaf_end()) = {0, sizeof(DirTail), 0, kDirTailType, 0};
    }
    buffer->owner.number = kPlainDir;
    buffer.changed();
  }
  raw().flags &= ~kFlagIndex;
  changed();
  return {};
}

}  // namespace uni::fs::ext4
