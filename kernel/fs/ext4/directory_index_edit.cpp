// SPDX-License-Identifier: Apache-2.0
// Growing the hash index: a linear directory of one block becomes an index with two leaves; a full leaf is split at a
// hash; a full node is split, and a full root gets a level below it.
#include "kernel/fs/ext4/dir_hash.hpp"
#include "kernel/fs/ext4/directory.hpp"

namespace uni::fs::ext4 {
namespace {

struct HashedEntry {
  u32 hash;
  u16 offset;
  u16 bytes;  // that the entry needs
};

void insert_sorted(HashedEntry* entries, usize count, const HashedEntry& e) {
  usize i = count;
  for (; i > 0 && entries[i - 1].hash > e.hash; --i)
    entries[i] = entries[i - 1];
  entries[i] = e;
}

// Puts an entry into the index behind entry `at`. Needs: room.
void insert_index(IndexView view, u32 at, u32 hash, u32 logical) {
  IndexEntry* entries = view.entries();
  const u32 count = view.count();
  __builtin_memmove(entries + at + 2, entries + at + 1, (count - at - 1) * sizeof(IndexEntry));
  entries[at + 1] = {hash, logical};
  view.set_limit_count(view.limit(), count + 1);
}

}  // namespace

// Block 0's entries but "." and ".." move to a new leaf, and the index takes their place.
Result<void> Directory::make_index() {
  const u32 block_size = ext4().block_size();
  BufferRef root = TRY(block(0));
  EntryWalk walk(root.data(), leaf_end());
  const DirEntry* dot = walk.next();
  const DirEntry* dot_dot = dot != nullptr ? walk.next() : nullptr;
  if (dot_dot == nullptr || !same_name(*dot, ".") || !same_name(*dot_dot, "..") || walk.offset() != 12)
    return damaged();
  const usize first = walk.position();
  const u32 parent = dot_dot->inode;
  u32 logical;
  const BufferRef leaf = TRY(append_block(logical, kMaybeNode));
  // The entries keep their order and lengths; the last one reaches to the end.
  const usize moved = leaf_end() - first;
  __builtin_memcpy(leaf.data(), root.data() + first, moved);
  EntryWalk copied(leaf.data(), moved);
  DirEntry* last = nullptr;
  usize last_at = 0;
  while (DirEntry* e = copied.next()) {
    last = e;
    last_at = copied.offset();
  }
  if (copied.damaged() || last == nullptr) return damaged();
  last->record_length = static_cast<u16>(leaf_end() - last_at);
  if (ext4().checksums()) *leaf.at<DirTail>(leaf_end()) = {0, sizeof(DirTail), 0, kDirTailType, 0};
  leaf.changed();

  __builtin_memset(root.data() + 24, 0, block_size - 24);
  auto* up = root.at<DirEntry>(12);
  up->inode = parent;
  up->record_length = static_cast<u16>(block_size - 12);
  auto* info = root.at<IndexRootInfo>(kIndexRootEntries - sizeof(IndexRootInfo));
  const u8 version = ext4().super().default_hash_version;
  info->hash_version = version <= kTea ? version : u8{kHalfMd4};
  info->info_length = sizeof(IndexRootInfo);
  IndexView view{root.data(), kIndexRootEntries};
  view.set_limit_count(index_limit(kIndexRootEntries), 1);
  view.entries()[0].block = logical;
  root->owner.number = kIndexRoot;
  root.changed();
  raw().flags |= kFlagIndex;
  changed();
  return {};
}

// Moves the entries with the higher hashes of the leaf at the end of `path` to a new leaf. Needs: room in the index.
Result<void> Directory::split_leaf(IndexPath& path, const BufferRef& leaf) {
  const usize most = ext4().block_size() / entry_bytes(1);
  Vector<HashedEntry> entries;
  TRY(entries.reserve(most));
  EntryWalk walk(leaf.data(), leaf_end());
  usize total = 0;
  while (const DirEntry* e = walk.next()) {
    if (e->inode == 0) continue;
    const u32 hash = name_hash({name_of(*e), e->name_length}, path.version, ext4().super().hash_seed);
    const HashedEntry entry{hash, static_cast<u16>(walk.offset()), static_cast<u16>(entry_bytes(e->name_length))};
    TRY(entries.push(entry));
    insert_sorted(entries.data(), entries.size() - 1, entry);
    total += entry.bytes;
  }
  if (walk.damaged() || entries.size() < 2) return damaged();
  // Half of the bytes stay.
  usize kept = 0, kept_bytes = 0;
  while (kept + 1 < entries.size() && (kept == 0 || kept_bytes + entries[kept].bytes <= total / 2))
    kept_bytes += entries[kept++].bytes;
  const u32 hash = entries[kept].hash;
  const u32 goes_on = entries[kept - 1].hash == hash ? 1 : 0;

  u32 logical;
  const BufferRef fresh = TRY(append_block(logical, kMaybeNode));
  init_leaf(fresh);
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  u8* const old = static_cast<u8*>(mm::address_of(*page));
  __builtin_memcpy(old, leaf.data(), ext4().block_size());
  const auto fill = [&](const BufferRef& to, usize from, usize end) {
    usize at = 0;
    for (usize i = from; i < end; ++i) {
      const usize length = i + 1 == end ? leaf_end() - at : entries[i].bytes;
      __builtin_memcpy(to.data() + at, old + entries[i].offset, entries[i].bytes);
      to.at<DirEntry>(at)->record_length = static_cast<u16>(length);
      at += length;
    }
    to.changed();
  };
  fill(leaf, 0, kept);
  fill(fresh, kept, entries.size());
  mm::put_page(*page);
  IndexPath::Frame& parent = path.last();
  insert_index(parent.view, parent.at, hash + goes_on, logical);
  parent.buffer.changed();
  return {};
}

// One step towards room in the lowest node of `path`: the walk begins again afterwards.
Result<void> Directory::make_room(IndexPath& path) {
  u32 logical;
  IndexPath::Frame& root = path.frames[0];
  if (path.levels == 1) {
    const BufferRef node = TRY(append_block(logical, kMaybeNode));
    init_node(node);
    IndexView view{node.data(), kIndexNodeEntries};
    const u32 count = root.view.count();
    if (count > view.limit()) return damaged();
    __builtin_memcpy(view.entries() + 1, root.view.entries() + 1, (count - 1) * sizeof(IndexEntry));
    view.entries()[0].block = root.view.entries()[0].block;
    view.set_limit_count(view.limit(), count);
    node.changed();
    root.view.set_limit_count(root.view.limit(), 1);
    root.view.entries()[0].block = logical;
    root.buffer.at<IndexRootInfo>(kIndexRootEntries - sizeof(IndexRootInfo))->levels = 1;
    root.buffer.changed();
    return {};
  }
  // Without largedir the index ends at two levels.
  if (root.view.count() == root.view.limit()) return Errno::NoSpace;
  IndexPath::Frame& full = path.last();
  const BufferRef node = TRY(append_block(logical, kMaybeNode));
  init_node(node);
  IndexView view{node.data(), kIndexNodeEntries};
  const u32 count = full.view.count(), kept = count / 2;
  const u32 hash = full.view.entries()[kept].hash;
  __builtin_memcpy(view.entries() + 1, full.view.entries() + kept + 1, (count - kept - 1) * sizeof(IndexEntry));
  view.entries()[0].block = full.view.entries()[kept].block;
  view.set_limit_count(view.limit(), count - kept);
  node.changed();
  full.view.set_limit_count(full.view.limit(), kept);
  full.buffer.changed();
  insert_index(root.view, root.at, hash, logical);
  root.buffer.changed();
  return {};
}

Result<void> Directory::add_indexed(StringView name, u32 number, FileType type) {
  for (;;) {
    IndexPath path;
    TRY(walk_index(name, path));
    const BufferRef leaf = TRY(block(path.last().child()));
    if (index_offset(leaf.data(), ext4().block_size(), kMaybeNode) != 0) return damaged();
    auto added = add_to_block(leaf, name, number, type);
    if (added.ok() || added.error() != Errno::NoSpace) return added;
    if (path.last().view.count() < path.last().view.limit())
      TRY(split_leaf(path, leaf));
    else
      TRY(make_room(path));
  }
}

}  // namespace uni::fs::ext4
