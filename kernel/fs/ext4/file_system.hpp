// SPDX-License-Identifier: Apache-2.0
// One mounted ext4: geometry, group descriptors, allocation, and the inodes in memory. Locks, outermost first:
// Inode::lock (the VFS) > Ext4Inode::map_lock > allocation_ > the buffer cache's own.
#pragma once

#include "kernel/fs/ext4/buffer_cache.hpp"
#include "kernel/fs/ext4/layout.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::ext4 {

class Ext4Inode;

struct Geometry {
  u32 block_size = 0;
  unsigned block_shift = 0;
  u64 blocks = 0;
  u32 inodes = 0;
  u32 first_data_block = 0;
  u32 blocks_per_group = 0;
  u32 inodes_per_group = 0;
  u32 groups = 0;
  u32 inode_size = 0;
  u32 descriptor_size = 0;
  u32 first_inode = 11;
};

// One group's descriptor, in its buffer.
class Group {
 public:
  Group(BufferRef buffer, usize offset, u32 number, bool wide)
      : buffer_(uni::move(buffer)), d_(buffer_.at<GroupDescriptor>(offset)), number_(number), wide_(wide) {}
  u32 number() const { return number_; }
  u64 block_bitmap() const { return join(d_->block_bitmap_low, wide_ ? d_->block_bitmap_high : 0); }
  u64 inode_bitmap() const { return join(d_->inode_bitmap_low, wide_ ? d_->inode_bitmap_high : 0); }
  u64 inode_table() const { return join(d_->inode_table_low, wide_ ? d_->inode_table_high : 0); }
  u32 free_blocks() const { return join16(d_->free_blocks_low, wide_ ? d_->free_blocks_high : u16{0}); }
  u32 free_inodes() const { return join16(d_->free_inodes_low, wide_ ? d_->free_inodes_high : u16{0}); }
  u32 directories() const { return join16(d_->directories_low, wide_ ? d_->directories_high : u16{0}); }
  u32 unused_inodes() const { return join16(d_->unused_inodes_low, wide_ ? d_->unused_inodes_high : u16{0}); }
  u32 block_bitmap_checksum() const {
    return join16(d_->block_bitmap_checksum_low, wide_ ? d_->block_bitmap_checksum_high : u16{0});
  }
  u32 inode_bitmap_checksum() const {
    return join16(d_->inode_bitmap_checksum_low, wide_ ? d_->inode_bitmap_checksum_high : u16{0});
  }
  bool has(GroupFlag flag) const { return (d_->flags & flag) != 0; }
  void clear(GroupFlag flag) { d_->flags = static_cast<u16>(d_->flags & ~flag); }
  void set_free_blocks(u32 n) { split(d_->free_blocks_low, d_->free_blocks_high, n); }
  void set_free_inodes(u32 n) { split(d_->free_inodes_low, d_->free_inodes_high, n); }
  void set_directories(u32 n) { split(d_->directories_low, d_->directories_high, n); }
  void set_unused_inodes(u32 n) { split(d_->unused_inodes_low, d_->unused_inodes_high, n); }
  void set_block_bitmap_checksum(u32 c) { split(d_->block_bitmap_checksum_low, d_->block_bitmap_checksum_high, c); }
  void set_inode_bitmap_checksum(u32 c) { split(d_->inode_bitmap_checksum_low, d_->inode_bitmap_checksum_high, c); }
  void changed(u32 descriptors_per_block) { buffer_.changed(u64{1} << (number_ % descriptors_per_block % 64)); }
  GroupDescriptor& raw() { return *d_; }

 private:
  static u64 join(u32 low, u32 high) { return low | u64{high} << 32; }
  static u32 join16(u16 low, u16 high) { return low | u32{high} << 16; }
  void split(u16& low, u16& high, u32 value) {
    low = static_cast<u16>(value);
    if (wide_) high = static_cast<u16>(value >> 16);
  }
  BufferRef buffer_;
  GroupDescriptor* d_;
  u32 number_;
  bool wide_;
};

class Ext4 final : public FileSystem, private BlockFormat {
 public:
  Ext4(dev::BlockDevice& device, u64 offset) : device_(device), offset_(offset), buffers_(device, *this) {}
  // Reads and checks the superblock. Once, first.
  Result<void> open(u64 partition_size);

  Result<RefPtr<Inode>> root() override;
  StringView type_name() const override { return "ext4"; }
  Result<FsStat> stat() override;
  Result<void> sync() override;
  u64 device_number() const override { return device_number_; }
  bool read_only() const override { return read_only_; }

  const Geometry& geometry() const { return geometry_; }
  u32 block_size() const { return geometry_.block_size; }
  BufferCache& buffers() { return buffers_; }
  dev::BlockDevice& device() { return device_; }
  u64 device_offset(u64 block) const { return offset_ + (block << geometry_.block_shift); }
  bool checksums() const { return checksums_; }
  bool indexes() const { return (super().compat & kCompatDirIndex) != 0; }
  bool entry_types() const { return (super().incompat & kIncompatFileType) != 0; }
  u32 checksum_seed() const { return seed_; }
  const SuperBlock& super() const { return *super_; }
  // Do all of these blocks exist and lie behind the superblock?
  bool valid_blocks(u64 first, u64 count) const {
    return first > geometry_.first_data_block && count <= geometry_.blocks && first <= geometry_.blocks - count;
  }
  // Says on the log what is wrong (the first few times) and gives Io.
  Errno corrupt(StringView what, u64 number);

  // --- inodes in memory (inode_table.cpp) ---
  // The inode, the same object for all who ask. Errors: Io (damaged or free), NotSupported, NoMemory.
  Result<RefPtr<Ext4Inode>> inode(u32 number);
  // For the destructor of inodes.
  void inode_gone(Ext4Inode& inode);
  struct InodePlace {
    BufferRef buffer;
    u32 offset;
    u32 part;  // bit of Buffer::dirty
  };
  Result<InodePlace> place(u32 number);

  // --- group descriptors ---
  Result<Group> group(u32 number);
  u32 descriptors_per_block() const { return geometry_.block_size / geometry_.descriptor_size; }

  // --- allocation (allocator.cpp, inode_allocator.cpp) ---
  struct Run {
    u64 first;
    u32 count;
  };
  // Up to `count` blocks in a row, at least one, at `goal` or near it. NoSpace.
  Result<Run> allocate_blocks(u64 goal, u32 count);
  Result<void> free_blocks(u64 first, u32 count);
  // Promises blocks to what will be written later. A few are held back for tree nodes. NoSpace.
  Result<void> reserve_blocks(u64 count);
  void release_blocks(u64 count) { reserved_.fetch_sub(count, std::memory_order_relaxed); }
  // A free inode near `parent`, its slot zeroed but for a new generation.
  struct NewInode {
    u32 number;
    InodePlace place;
  };
  Result<NewInode> allocate_inode(u32 parent, FileType type);
  Result<void> free_inode(u32 number, FileType type);
  // Where to look for blocks for an inode without any.
  u64 goal_for(u32 inode) const {
    return geometry_.first_data_block + u64{(inode - 1) / geometry_.inodes_per_group} * geometry_.blocks_per_group;
  }

 private:
  friend class RefPtr<Ext4>;
  ~Ext4() override;
  Result<void> check_geometry(u64 partition_size);
  Result<void> check_features();
  bool check(const Buffer& buffer) override;
  void seal(Buffer& buffer, u64 parts) override;
  bool check_descriptors(const Buffer& buffer);
  u16 descriptor_checksum(u32 group, const GroupDescriptor& d) const;
  u32 bitmap_bytes(BlockKind kind) const {
    return (kind == BlockKind::kBlockBitmap ? geometry_.blocks_per_group : geometry_.inodes_per_group) / 8;
  }
  u32 blocks_in_group(u32 number) const;
  bool has_super(u32 group) const;
  Result<BufferRef> block_bitmap(Group& group);
  Result<BufferRef> inode_bitmap(Group& group);
  void fill_block_bitmap(Group& group, u8* bits);
  bool check_bitmap(const Buffer& buffer);
  Result<Run> allocate_in(u32 number, u32 from, u32 count);
  Result<NewInode> take_inode(Group& group, FileType type);
  u64 reserved_margin() const { return min<u64>(64, geometry_.blocks / 64); }

  dev::BlockDevice& device_;
  u64 offset_;
  BufferCache buffers_;
  BufferRef super_buffer_;
  SuperBlock* super_ = nullptr;
  Geometry geometry_;
  u32 seed_ = 0;
  bool checksums_ = false;
  bool group_flags_ = false;  // group descriptors say what was never initialised
  bool read_only_ = false;
  u64 device_number_ = 0;
  std::atomic<u32> complaints_{0};

  // The counts that the superblock keeps; written back at sync.
  Mutex allocation_;
  std::atomic<u64> free_blocks_{0}, reserved_{0};
  std::atomic<u32> free_inodes_{0};
  u32 generation_ = 0;

  static constexpr usize kInodeBuckets = 256;
  SpinLock inodes_lock_{Rank::kInodeCache};
  Ext4Inode* inodes_[kInodeBuckets] = {};
};

}  // namespace uni::fs::ext4
