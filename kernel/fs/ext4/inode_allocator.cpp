// SPDX-License-Identifier: Apache-2.0
// Inodes: the first free one of the parent's group, else of the next group that has one. A slot that was never used
// needs no reading: the descriptor says from where on the table is unused.
#include "kernel/fs/ext4/bitmap.hpp"
#include "kernel/fs/ext4/file_system.hpp"

namespace uni::fs::ext4 {

Result<BufferRef> Ext4::inode_bitmap(Group& group) {
  const BlockOwner owner{BlockKind::kInodeBitmap, 0, group.number()};
  if (!group_flags_ || !group.has(kInodeUninit)) return buffers_.read(group.inode_bitmap(), owner);
  BufferRef bitmap = TRY(buffers_.create(group.inode_bitmap(), owner));
  set_bits(bitmap.data(), geometry_.inodes_per_group, geometry_.block_size * 8 - geometry_.inodes_per_group);
  group.clear(kInodeUninit);
  group.changed(descriptors_per_block());
  return bitmap;
}

Result<Ext4::NewInode> Ext4::take_inode(Group& group, FileType type) {
  const Geometry& g = geometry_;
  const BufferRef bitmap = TRY(inode_bitmap(group));
  const u32 index = find_bit(bitmap.data(), group.number() == 0 ? g.first_inode - 1 : 0, g.inodes_per_group, false);
  if (index == g.inodes_per_group) return Errno::NoSpace;
  const u32 number = group.number() * g.inodes_per_group + index + 1;
  const u32 per_block = g.block_size / g.inode_size;
  const u32 slot = index % per_block;
  const u64 block = group.inode_table() + index / per_block;
  const BlockOwner owner{BlockKind::kInodeTable, 0, number - slot};
  const u32 used = g.inodes_per_group - min(g.inodes_per_group, group_flags_ ? group.unused_inodes() : 0);
  BufferRef buffer = index - slot >= used ? TRY(buffers_.create(block, owner)) : TRY(buffers_.read(block, owner));
  __builtin_memset(buffer.data() + usize{slot} * g.inode_size, 0, g.inode_size);
  buffer.at<DiskInode>(usize{slot} * g.inode_size)->generation = ++generation_;
  buffer.changed(u64{1} << slot);

  set_bits(bitmap.data(), index, 1);
  bitmap.changed();
  group.set_free_inodes(group.free_inodes() - 1);
  if (group_flags_ && index >= used) group.set_unused_inodes(g.inodes_per_group - index - 1);
  if (type == FileType::kDirectory) group.set_directories(group.directories() + 1);
  group.changed(descriptors_per_block());
  free_inodes_.fetch_sub(1, std::memory_order_relaxed);
  return NewInode{number, {uni::move(buffer), slot * g.inode_size, slot}};
}

Result<Ext4::NewInode> Ext4::allocate_inode(u32 parent, FileType type) {
  LockGuard guard(allocation_);
  const u32 first = (parent - 1) / geometry_.inodes_per_group;
  for (u32 i = 0; i < geometry_.groups; ++i) {
    Group group = TRY(this->group((first + i) % geometry_.groups));
    if (group.free_inodes() == 0) continue;
    auto taken = take_inode(group, type);
    if (taken.ok() || taken.error() != Errno::NoSpace) return taken;
  }
  return Errno::NoSpace;
}

Result<void> Ext4::free_inode(u32 number, FileType type) {
  LockGuard guard(allocation_);
  const u32 index = (number - 1) % geometry_.inodes_per_group;
  Group group = TRY(this->group((number - 1) / geometry_.inodes_per_group));
  const BufferRef bitmap = TRY(inode_bitmap(group));
  if (!bit_is_set(bitmap.data(), index)) return corrupt("inode to be freed", number);
  clear_bits(bitmap.data(), index, 1);
  bitmap.changed();
  group.set_free_inodes(group.free_inodes() + 1);
  if (type == FileType::kDirectory) group.set_directories(group.directories() - min(group.directories(), 1u));
  group.changed(descriptors_per_block());
  free_inodes_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

}  // namespace uni::fs::ext4
