// SPDX-License-Identifier: Apache-2.0
// Inodes in memory. The on-disk inode is not copied: an Ext4Inode works on its bytes in the buffer cache, so every
// change is in the cached block at once and reaches the disk when that block is written.
#pragma once

#include "kernel/fs/ext4/extents.hpp"
#include "kernel/fs/ext4/file_system.hpp"

namespace uni::fs::ext4 {

// Computes the checksums of the inodes of a table block whose bits are set in `parts`.
void seal_inodes(Ext4& fs, Buffer& buffer, u64 parts);

class Ext4Inode : public Inode {
 public:
  Ext4Inode(Ext4& fs, FileType type, u32 number, Ext4::InodePlace place);

  Ext4& ext4() const { return fs_; }
  u32 ino() const { return static_cast<u32>(number()); }
  DiskInode& raw() const { return *raw_; }
  // Says that raw() was changed.
  void changed() { place_.buffer.changed(u64{1} << place_.part); }
  // Begins the checksums of this inode's blocks.
  u32 seed() const { return seed_; }
  bool has_extra(usize end) const;  // do the fields before byte `end` exist?

  Result<void> stat(Stat& out) override;
  Result<void> set_attributes(const SetAttr& change) override;
  u64 size() const override { return raw_->size_low | u64{raw_->size_high} << 32; }
  Result<void> sync(bool data_only) override;
  void note_modified() override { touch(true); }
  void note_accessed(AccessTime how) override;

  Result<usize> get_xattr(StringView name, Span<char> out) override;
  Result<void> set_xattr(StringView name, Span<const char> value, int flags) override;
  Result<usize> list_xattr(Span<char> out) override;
  Result<void> remove_xattr(StringView name) override;
  Result<u32> file_flags() override;
  Result<void> set_file_flags(u32 flags) override;

  // --- for the other files of ext4 ---
  void put_size(u64 size);
  void touch(bool content);  // ctime, and mtime where the content changed
  u64 block_count() const;   // i_blocks in 512-byte units
  void add_blocks(i64 file_system_blocks);
  u64 xattr_block() const { return raw_->file_acl_low | u64{raw_->file_acl_high} << 32; }
  void set_xattr_block(u64 block);
  void release_xattr_block();
  void add_links(int change);
  u32 links() const { return raw_->links; }
  // Frees the blocks behind the new size and all extents there. Needs: nothing locked but Inode::lock.
  Result<void> truncate_blocks(u64 new_size);
  // Blocks promised to dirty pages that have no block yet.
  virtual u64 delayed_blocks() const { return 0; }

  // Guards the extent tree, and with it which blocks exist.
  Mutex map_lock;
  // The last extent found. Under map_lock.
  Mapping last_mapping;

 protected:
  ~Ext4Inode() override;
  void last_unref() override;
  // Frees what the inode has, and itself, when no name leads to it any more.
  void release_storage();

 private:
  friend class Ext4;
  Ext4& fs_;
  Ext4::InodePlace place_;
  DiskInode* raw_;
  u32 seed_;
  Ext4Inode* hash_next_ = nullptr;
};

class SymbolicLink final : public Ext4Inode {
 public:
  using Ext4Inode::Ext4Inode;
  Result<usize> read_link(Span<char> out) override;
};

}  // namespace uni::fs::ext4
