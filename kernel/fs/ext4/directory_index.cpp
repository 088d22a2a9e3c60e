// SPDX-License-Identifier: Apache-2.0
// Walking the hash index of a directory: a tree of sorted (hash, block) entries, at most two levels deep, whose leaves
// are ordinary directory blocks.
#include "kernel/fs/ext4/dir_hash.hpp"
#include "kernel/fs/ext4/directory.hpp"

namespace uni::fs::ext4 {

u32 Directory::index_limit(usize offset) const {
  const usize room = ext4().block_size() - offset - (ext4().checksums() ? sizeof(IndexTail) : 0);
  return static_cast<u32>(room / sizeof(IndexEntry));
}

HashVersion Directory::hash_version(u8 stored) const {
  const bool is_unsigned = (ext4().super().flags & kUnsignedHash) != 0;
  return static_cast<HashVersion>(stored + (is_unsigned && stored <= kTea ? 3 : 0));
}

Result<void> Directory::walk_index(StringView name, IndexPath& path) {
  u32 logical = 0;
  u32 levels = 1;
  path.levels = 0;
  while (path.levels < levels) {
    IndexPath::Frame& f = path.frames[path.levels];
    f.buffer = TRY(block(logical));
    f.logical = logical;
    if (logical == 0) {
      const auto& info = *f.buffer.at<IndexRootInfo>(kIndexRootEntries - sizeof(IndexRootInfo));
      if (info.reserved != 0 || info.info_length != sizeof(IndexRootInfo) || info.hash_version > kTeaUnsigned ||
          info.levels >= kMaxIndexLevels || (info.flags & 1) != 0)
        return Errno::NotSupported;
      levels = 1u + info.levels;
      path.version = hash_version(info.hash_version);
      path.hash = name_hash(name, path.version, ext4().super().hash_seed);
      f.view = {f.buffer.data(), kIndexRootEntries};
    } else {
      f.view = {f.buffer.data(), kIndexNodeEntries};
    }
    if (f.view.limit() != index_limit(f.view.offset) || f.view.count() == 0 || f.view.count() > f.view.limit())
      return damaged();
    // The last entry whose hash is not above ours; the first entry has no hash and stands for "from 0".
    u32 low = 1, high = f.view.count();
    while (low < high) {
      const u32 middle = (low + high) / 2;
      if (f.view.entries()[middle].hash > path.hash)
        high = middle;
      else
        low = middle + 1;
    }
    f.at = low - 1;
    logical = f.child();
    if (logical == 0 || logical >= blocks()) return damaged();
    ++path.levels;
  }
  return {};
}

Result<bool> Directory::next_leaf(IndexPath& path) {
  u32 level = path.levels;
  do {
    if (level == 0) return false;
    --level;
  } while (path.frames[level].at + 1 >= path.frames[level].view.count());
  IndexPath::Frame& turned = path.frames[level];
  // Bit 0 of an entry's hash says that the names before it may have the same hash.
  const u32 hash = turned.view.entries()[turned.at + 1].hash;
  if ((hash & 1) == 0 || (hash & ~1u) != path.hash) return false;
  ++turned.at;
  for (++level; level < path.levels; ++level) {
    IndexPath::Frame& f = path.frames[level];
    const u32 logical = path.frames[level - 1].child();
    if (logical == 0 || logical >= blocks()) return damaged();
    f.buffer = TRY(block(logical));
    f.logical = logical;
    f.view = {f.buffer.data(), kIndexNodeEntries};
    f.at = 0;
    if (f.view.limit() != index_limit(f.view.offset) || f.view.count() == 0 || f.view.count() > f.view.limit())
      return damaged();
  }
  if (path.last().child() == 0 || path.last().child() >= blocks()) return damaged();
  return true;
}

Result<Directory::Found> Directory::find_indexed(StringView name) {
  // "." and ".." lie before the index and are not in it.
  if (name == "."_sv || name == ".."_sv) return find_in(TRY(block(0)), name);
  IndexPath path;
  TRY(walk_index(name, path));
  for (;;) {
    auto found = find_in(TRY(block(path.last().child())), name);
    if (found.ok() || found.error() != Errno::NoEntry) return found;
    if (!TRY(next_leaf(path))) return Errno::NoEntry;
  }
}

}  // namespace uni::fs::ext4
