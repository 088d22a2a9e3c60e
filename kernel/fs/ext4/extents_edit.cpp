// SPDX-License-Identifier: Apache-2.0
// Changing extent trees. Each change walks from the root, works on one leaf, and keeps two rules that e2fsck checks:
// an index entry's key is the first block of its child, and no node but an empty root is empty. Where a node is full,
// room is made one step at a time (split one node, or grow the tree) and the walk begins again.
#include "kernel/fs/ext4/extent_node.hpp"
#include "kernel/fs/ext4/inode.hpp"

namespace uni::fs::ext4 {
namespace {

struct Level {
  BufferRef buffer;  // none: the root, in the inode
  ExtentHeader* node = nullptr;
  u32 at = 0;  // the entry gone through; in the leaf: the number of entries at or before the block
};

struct Path {
  explicit Path(Ext4Inode& i) : inode(i) {}
  Ext4Inode& inode;
  Level levels[kMaxExtentDepth + 1];
  u32 depth = 0;
  Level& leaf() { return levels[depth]; }
  void changed(u32 level) {
    if (level == 0)
      inode.changed();
    else
      levels[level].buffer.changed();
  }
};

Result<void> walk(Path& path, u32 logical) {
  ExtentHeader* node = &root_of(path.inode.raw());
  path.depth = node->depth;
  for (u32 level = 0;; ++level) {
    Level& l = path.levels[level];
    l.node = node;
    l.at = last_entry_at_or_before(*node, logical);
    if (level == path.depth) return {};
    if (l.at > 0) --l.at;  // before the first key: the leftmost child
    Level& child = path.levels[level + 1];
    child.buffer = TRY(
        read_extent_block(path.inode, index_child(indexes_of(*node)[l.at]), static_cast<u16>(path.depth - level - 1)));
    node = child.buffer.at<ExtentHeader>(0);
  }
}

// The first entry of the node at `level` changed: the keys above follow.
void correct_keys(Path& path, u32 level) {
  const u32 key = extents_of(*path.levels[level].node)->logical;
  while (level > 0) {
    Level& parent = path.levels[--level];
    indexes_of(*parent.node)[parent.at].logical = key;
    path.changed(level);
    if (parent.at != 0) return;
  }
}

void put(Extent& e, const Mapping& m) {
  e.logical = m.logical;
  e.length = static_cast<u16>(m.count + (m.unwritten ? kMaxWrittenLength : 0));
  e.start_low = static_cast<u32>(m.physical);
  e.start_high = static_cast<u16>(m.physical >> 32);
}

Mapping get(const Extent& e) {
  return {e.logical, extent_count(e), extent_start(e), extent_unwritten(e)};
}

void open_gap(ExtentHeader& node, u32 at) {
  Extent* entries = extents_of(node);
  __builtin_memmove(entries + at + 1, entries + at, (node.entries - at) * sizeof(Extent));
  ++node.entries;
}

void close_gap(ExtentHeader& node, u32 at) {
  Extent* entries = extents_of(node);
  __builtin_memmove(entries + at, entries + at + 1, (node.entries - at - 1) * sizeof(Extent));
  --node.entries;
}

void put_index(ExtentHeader& node, u32 at, u32 key, u64 child) {
  ExtentIndex& e = indexes_of(node)[at];
  e.logical = key;
  e.child_low = static_cast<u32>(child);
  e.child_high = static_cast<u16>(child >> 32);
  e.unused = 0;
}

// A new block for a node of the given depth, empty.
Result<BufferRef> new_node(Ext4Inode& inode, u16 depth) {
  Ext4& fs = inode.ext4();
  const ExtentHeader& root = root_of(inode.raw());
  const u64 goal = root.entries > 0 && root.depth > 0 ? index_child(*indexes_of(root)) : fs.goal_for(inode.ino());
  const Ext4::Run run = TRY(fs.allocate_blocks(goal, 1));
  auto buffer = fs.buffers().create(run.first, {BlockKind::kExtents, inode.seed(), depth});
  if (!buffer.ok()) {
    fs.free_blocks(run.first, 1).take();
    return buffer.error();
  }
  inode.add_blocks(1);
  ExtentHeader& h = *buffer.value().at<ExtentHeader>(0);
  h.magic = kExtentMagic;
  h.max = static_cast<u16>((fs.block_size() - sizeof(ExtentHeader)) / sizeof(Extent));
  h.depth = depth;
  return buffer;
}

// Moves the root's entries into a new block below it.
Result<void> grow(Ext4Inode& inode) {
  ExtentHeader& root = root_of(inode.raw());
  if (root.depth >= kMaxExtentDepth) return Errno::NoSpace;
  const BufferRef buffer = TRY(new_node(inode, root.depth));
  ExtentHeader& child = *buffer.at<ExtentHeader>(0);
  __builtin_memcpy(extents_of(child), extents_of(root), root.entries * sizeof(Extent));
  child.entries = root.entries;
  buffer.changed();
  const u32 key = extents_of(root)->logical;
  root.entries = 1;
  ++root.depth;
  put_index(root, 0, key, buffer->block);
  inode.changed();
  return {};
}

// One step towards room in the leaf of `path`.
Result<void> make_room(Path& path, u32 logical) {
  u32 parent = path.depth;
  do {
    if (parent == 0) return grow(path.inode);
    --parent;
  } while (path.levels[parent].node->entries == path.levels[parent].node->max);
  // The node at parent + 1 is full: it gives its upper part to a new neighbour. At its end (a file that grows) only as
  // much as the neighbour needs, so that nodes stay full.
  Level& full = path.levels[parent + 1];
  const BufferRef buffer = TRY(new_node(path.inode, full.node->depth));
  ExtentHeader& fresh = *buffer.at<ExtentHeader>(0);
  const bool leaf = full.node->depth == 0;
  const bool at_end = leaf ? full.at == full.node->entries : full.at + 1 == full.node->entries;
  const u32 kept = !at_end ? full.node->entries / 2u : leaf ? full.node->entries : full.node->entries - 1u;
  fresh.entries = static_cast<u16>(full.node->entries - kept);
  __builtin_memcpy(extents_of(fresh), extents_of(*full.node) + kept, fresh.entries * sizeof(Extent));
  full.node->entries = static_cast<u16>(kept);
  buffer.changed();
  path.changed(parent + 1);
  Level& above = path.levels[parent];
  open_gap(*above.node, above.at + 1);
  put_index(*above.node, above.at + 1, fresh.entries > 0 ? extents_of(fresh)->logical : logical, buffer->block);
  path.changed(parent);
  return {};
}

// Grows a neighbouring extent over `run` where it continues it.
bool merge(Path& path, const Mapping& run) {
  Level& leaf = path.leaf();
  Extent* entries = extents_of(*leaf.node);
  const u32 longest = run.unwritten ? kMaxUnwrittenLength : kMaxWrittenLength;
  const auto follows = [&](const Mapping& a, const Mapping& b) {
    return a.logical + a.count == b.logical && a.physical + a.count == b.physical && a.unwritten == b.unwritten &&
           a.count + b.count <= longest;
  };
  if (leaf.at > 0) {
    Mapping before = get(entries[leaf.at - 1]);
    if (follows(before, run)) {
      before.count += run.count;
      // The gap may be closed now.
      if (leaf.at < leaf.node->entries && follows(before, get(entries[leaf.at]))) {
        before.count += extent_count(entries[leaf.at]);
        close_gap(*leaf.node, leaf.at);
      }
      put(entries[leaf.at - 1], before);
      path.changed(path.depth);
      return true;
    }
  }
  if (leaf.at < leaf.node->entries) {
    const Mapping after = get(entries[leaf.at]);
    if (follows(run, after)) {
      put(entries[leaf.at], {run.logical, run.count + after.count, run.physical, run.unwritten});
      path.changed(path.depth);
      if (leaf.at == 0) correct_keys(path, path.depth);
      return true;
    }
  }
  return false;
}

// Takes the entry before `at` out of the leaf; nodes that become empty go, up to the root.
Result<void> erase(Path& path) {
  u32 level = path.depth;
  u32 at = path.leaf().at - 1;
  for (;;) {
    Level& l = path.levels[level];
    close_gap(*l.node, at);
    path.changed(level);
    if (l.node->entries > 0) {
      if (at == 0) correct_keys(path, level);
      return {};
    }
    if (level == 0) {
      l.node->depth = 0;
      return {};
    }
    const u64 block = l.buffer->block;
    l.buffer.reset();
    path.inode.ext4().buffers().forget(block);
    path.inode.add_blocks(-1);
    TRY(path.inode.ext4().free_blocks(block, 1));
    at = path.levels[--level].at;
  }
}

// Blocks that a change may need for nodes are promised first, so that it does not stop half way.
class NodeReserve {
 public:
  explicit NodeReserve(Ext4& fs) : fs_(fs) {}
  ~NodeReserve() { release(); }
  Result<void> take(u32 depth) {
    count_ = 2 * (depth + 2);
    auto done = fs_.reserve_blocks(count_);
    if (!done.ok()) count_ = 0;
    return done;
  }
  void release() { fs_.release_blocks(exchange(count_, 0u)); }

 private:
  Ext4& fs_;
  u32 count_ = 0;
};

}  // namespace

Result<void> insert_mapping(Ext4Inode& inode, const Mapping& run) {
  inode.last_mapping = {};
  for (;;) {
    Path path(inode);
    TRY(walk(path, run.logical));
    if (merge(path, run)) return {};
    Level& leaf = path.leaf();
    if (leaf.node->entries < leaf.node->max) {
      open_gap(*leaf.node, leaf.at);
      put(extents_of(*leaf.node)[leaf.at], run);
      path.changed(path.depth);
      if (leaf.at == 0) correct_keys(path, path.depth);
      return {};
    }
    TRY(make_room(path, run.logical));
  }
}

Result<void> set_written(Ext4Inode& inode, u32 first, u32 count, bool unwritten) {
  inode.last_mapping = {};
  NodeReserve reserve(inode.ext4());
  Path path(inode);
  TRY(walk(path, first));
  Level& leaf = path.leaf();
  if (leaf.at == 0) return inode.ext4().corrupt("extent tree of inode", inode.ino());
  Extent& e = extents_of(*leaf.node)[leaf.at - 1];
  const Mapping old = get(e);
  if (!old.contains(first) || first - old.logical + count > old.count)
    return inode.ext4().corrupt("extent tree of inode", inode.ino());
  const u32 before = first - old.logical, after = old.count - before - count;
  if (before + after > 0) TRY(reserve.take(path.depth));
  if (before > 0) {
    put(e, {old.logical, before, old.physical, old.unwritten});
    path.changed(path.depth);
  } else {
    TRY(erase(path));
  }
  path.leaf().buffer.reset();
  reserve.release();
  TRY(insert_mapping(inode, {first, count, old.physical + before, unwritten}));
  if (after == 0) return {};
  return insert_mapping(inode, {first + count, after, old.physical + before + count, old.unwritten});
}

Result<void> remove_mappings(Ext4Inode& inode, u32 first, u32 last) {
  Ext4& fs = inode.ext4();
  inode.last_mapping = {};
  const bool metadata = inode.type() != FileType::kRegular;
  // From the end, one extent at a time.
  for (;;) {
    Path path(inode);
    TRY(walk(path, last));
    Level& leaf = path.leaf();
    if (leaf.at == 0) return {};
    Extent& e = extents_of(*leaf.node)[leaf.at - 1];
    const Mapping old = get(e);
    const u32 end = old.logical + old.count;
    if (end <= first) return {};
    const u32 from = max(old.logical, first), to = last >= end - 1 ? end : last + 1;
    const u64 physical = old.physical + (from - old.logical);
    if (to <= from) return {};  // the extent ends before the range: nothing is left in it
    NodeReserve reserve(fs);
    const Mapping right{to, end - to, old.physical + (to - old.logical), old.unwritten};
    if (from > old.logical && right.count > 0) TRY(reserve.take(path.depth));
    if (from > old.logical) {
      put(e, {old.logical, from - old.logical, old.physical, old.unwritten});
      path.changed(path.depth);
    } else if (right.count > 0) {
      put(e, right);
      path.changed(path.depth);
      if (leaf.at == 1) correct_keys(path, path.depth);
    } else {
      TRY(erase(path));
    }
    path.leaf().buffer.reset();
    reserve.release();
    if (from > old.logical && right.count > 0) TRY(insert_mapping(inode, right));
    if (metadata) {
      for (u32 i = 0; i < to - from; ++i)
        fs.buffers().forget(physical + i);
    }
    inode.add_blocks(-static_cast<i64>(to - from));
    TRY(fs.free_blocks(physical, to - from));
    if (from == first) return {};
    last = from - 1;
  }
}

}  // namespace uni::fs::ext4
