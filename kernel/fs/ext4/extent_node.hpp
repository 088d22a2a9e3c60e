// SPDX-License-Identifier: Apache-2.0
// Access to the entries of one extent tree node, shared by lookup and change.
#pragma once

#include "kernel/fs/ext4/buffer_cache.hpp"
#include "kernel/fs/ext4/extents.hpp"

namespace uni::fs::ext4 {

// SAFETY of all: nodes are checked (extent_node_ok) to hold as many entries as their header says.
inline Extent* extents_of(ExtentHeader& node) {
  return reinterpret_cast<Extent*>(&node + 1);
}
inline const Extent* extents_of(const ExtentHeader& node) {
  return reinterpret_cast<const Extent*>(&node + 1);
}
inline ExtentIndex* indexes_of(ExtentHeader& node) {
  return reinterpret_cast<ExtentIndex*>(&node + 1);
}
inline const ExtentIndex* indexes_of(const ExtentHeader& node) {
  return reinterpret_cast<const ExtentIndex*>(&node + 1);
}
inline ExtentHeader& root_of(DiskInode& inode) {
  return *reinterpret_cast<ExtentHeader*>(inode.block);
}

// The number of entries whose first block is at most `logical`.
u32 last_entry_at_or_before(const ExtentHeader& node, u32 logical);
// A node that is a block, checked. Errors: Io, NoMemory.
Result<BufferRef> read_extent_block(Ext4Inode& inode, u64 block, u16 depth);

}  // namespace uni::fs::ext4
