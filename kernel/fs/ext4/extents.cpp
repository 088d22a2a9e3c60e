// SPDX-License-Identifier: Apache-2.0
// Looking up in extent trees. A node is checked once, when it comes from the disk (the root: with the inode), for all
// that the walk relies on: depth, order, counts, and blocks inside the file system. The depth falls by one at each
// step, so a walk ends.
#include "kernel/fs/ext4/extents.hpp"

#include "kernel/base/crc32c.hpp"
#include "kernel/fs/ext4/extent_node.hpp"
#include "kernel/fs/ext4/inode.hpp"

namespace uni::fs::ext4 {

bool extent_node_ok(const Ext4& fs, const ExtentHeader& node, usize space, int depth) {
  if (node.magic != kExtentMagic || node.max > (space - sizeof(ExtentHeader)) / sizeof(Extent) || node.max == 0 ||
      node.entries > node.max || node.depth > kMaxExtentDepth || (depth >= 0 && node.depth != depth))
    return false;
  u64 next = 0;  // the lowest logical block that may follow
  if (node.depth == 0) {
    for (const Extent& e : Span(extents_of(node), node.entries)) {
      const u32 count = extent_count(e);
      if (count == 0 || e.logical < next || u64{e.logical} + count > u64{kMaxLogicalBlock} + 1 ||
          !fs.valid_blocks(extent_start(e), count))
        return false;
      next = u64{e.logical} + count;
    }
    return true;
  }
  if (node.entries == 0) return false;
  for (const ExtentIndex& e : Span(indexes_of(node), node.entries)) {
    if (e.logical < next || !fs.valid_blocks(index_child(e), 1)) return false;
    next = u64{e.logical} + 1;
  }
  return true;
}

bool extent_block_ok(const Ext4& fs, const Buffer& buffer) {
  const auto& node = *reinterpret_cast<const ExtentHeader*>(buffer.data);
  if (!extent_node_ok(fs, node, fs.block_size(), static_cast<int>(buffer.owner.number))) return false;
  if (!fs.checksums()) return true;
  const usize end = sizeof(ExtentHeader) + usize{node.max} * sizeof(Extent);
  if (end + 4 > fs.block_size()) return false;
  u32 stored;
  __builtin_memcpy(&stored, buffer.data + end, 4);
  return crc32c(buffer.owner.seed, buffer.data, end) == stored;
}

void seal_extent_block(Buffer& buffer, u32 block_size) {
  const auto& node = *reinterpret_cast<const ExtentHeader*>(buffer.data);
  const usize end = sizeof(ExtentHeader) + usize{node.max} * sizeof(Extent);
  if (end + 4 > block_size) return;
  const u32 crc = crc32c(buffer.owner.seed, buffer.data, end);
  __builtin_memcpy(buffer.data + end, &crc, 4);
}

Result<BufferRef> read_extent_block(Ext4Inode& inode, u64 block, u16 depth) {
  BufferRef buffer = TRY(inode.ext4().buffers().read(block, {BlockKind::kExtents, inode.seed(), depth}));
  // Another inode's node, or one at another depth, can be here only in a damaged image.
  if (buffer->owner.seed != inode.seed() || buffer.at<ExtentHeader>(0)->depth != depth)
    return inode.ext4().corrupt("extent tree of inode", inode.ino());
  return buffer;
}

u32 last_entry_at_or_before(const ExtentHeader& node, u32 logical) {
  // Extent and ExtentIndex both begin with the logical block.
  const Extent* entries = extents_of(node);
  u32 low = 0, high = node.entries;
  while (low < high) {
    const u32 middle = (low + high) / 2;
    if (entries[middle].logical <= logical)
      low = middle + 1;
    else
      high = middle;
  }
  return low;  // one behind it; 0: all are later
}

Result<Mapping> find_mapping(Ext4Inode& inode, u32 logical) {
  if (inode.last_mapping.contains(logical)) return Mapping(inode.last_mapping);
  const ExtentHeader* node = &root_of(inode.raw());
  BufferRef buffer;
  u64 end = u64{kMaxLogicalBlock} + 1;  // where the next entry to the right begins
  while (node->depth > 0) {
    const u32 at = last_entry_at_or_before(*node, logical);
    const ExtentIndex* entries = indexes_of(*node);
    if (at < node->entries) end = entries[at].logical;
    if (at == 0) return Mapping{logical, static_cast<u32>(end - logical), 0, false};
    buffer = TRY(read_extent_block(inode, index_child(entries[at - 1]), static_cast<u16>(node->depth - 1)));
    node = buffer.at<ExtentHeader>(0);
  }
  const u32 at = last_entry_at_or_before(*node, logical);
  const Extent* entries = extents_of(*node);
  if (at > 0) {
    const Extent& e = entries[at - 1];
    if (logical - e.logical < extent_count(e)) {
      inode.last_mapping = {e.logical, extent_count(e), extent_start(e), extent_unwritten(e)};
      return Mapping(inode.last_mapping);
    }
  }
  if (at < node->entries) end = entries[at].logical;
  if (end <= logical) return inode.ext4().corrupt("extent tree of inode", inode.ino());
  return Mapping{logical, static_cast<u32>(end - logical), 0, false};
}

void init_extents(DiskInode& inode) {
  __builtin_memset(inode.block, 0, sizeof inode.block);
  ExtentHeader& root = root_of(inode);
  root.magic = kExtentMagic;
  root.max = (kInlineBytes - sizeof(ExtentHeader)) / sizeof(Extent);
  inode.flags |= kFlagExtents;
}

}  // namespace uni::fs::ext4
