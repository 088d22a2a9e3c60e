// SPDX-License-Identifier: Apache-2.0
// The extent tree: which device blocks hold a file's blocks (ext4 layout, "Extent Tree"). The root is in the inode,
// other nodes are blocks. Needs in all functions: the inode's map_lock held.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/fs/ext4/layout.hpp"

namespace uni::fs::ext4 {

class Ext4;
class Ext4Inode;
struct Buffer;

// A run of file blocks. With physical 0 it is a hole.
struct Mapping {
  u32 logical = 0;
  u32 count = 0;  // 0: nothing known
  u64 physical = 0;
  bool unwritten = false;  // allocated, but reads as zero
  bool hole() const { return physical == 0; }
  bool contains(u32 block) const { return block - logical < count; }
};

inline u64 extent_start(const Extent& e) {
  return e.start_low | u64{e.start_high} << 32;
}
inline u32 extent_count(const Extent& e) {
  return e.length > kMaxWrittenLength ? e.length - kMaxWrittenLength : e.length;
}
inline bool extent_unwritten(const Extent& e) {
  return e.length > kMaxWrittenLength;
}
inline u64 index_child(const ExtentIndex& e) {
  return e.child_low | u64{e.child_high} << 32;
}

// Is a node sound: `space` bytes, all its entries in order and inside the file system?
bool extent_node_ok(const Ext4& fs, const ExtentHeader& node, usize space, int depth);
bool extent_block_ok(const Ext4& fs, const Buffer& buffer);
void seal_extent_block(Buffer& buffer, u32 block_size);

// The run that contains `logical`: an extent, or a hole as far as it goes. May block. Errors: Io, NoMemory.
Result<Mapping> find_mapping(Ext4Inode& inode, u32 logical);
// Begins an empty tree in a new inode.
void init_extents(DiskInode& inode);

// Enters an extent where there is a hole. Errors: NoSpace (for tree nodes), Io, NoMemory.
Result<void> insert_mapping(Ext4Inode& inode, const Mapping& run);
// Turns unwritten blocks into written ones, or back. [first, first + count) must lie in one extent.
Result<void> set_written(Ext4Inode& inode, u32 first, u32 count, bool unwritten);
// Takes the blocks [first, last] out of the tree and frees them.
Result<void> remove_mappings(Ext4Inode& inode, u32 first, u32 last);

}  // namespace uni::fs::ext4
