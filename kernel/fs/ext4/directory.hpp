// SPDX-License-Identifier: Apache-2.0
// Directories: linear ones, and ones with a hash index. Needs in all functions: Inode::lock held, as the VFS does.
#pragma once

#include "kernel/fs/ext4/directory_block.hpp"
#include "kernel/fs/ext4/inode.hpp"

namespace uni::fs::ext4 {

// Levels of the index, the root included, without the largedir feature.
inline constexpr u32 kMaxIndexLevels = 2;

// The way from the index root to one leaf.
struct IndexPath {
  struct Frame {
    BufferRef buffer;
    IndexView view;
    u32 logical = 0;
    u32 at = 0;  // the chosen entry
    u32 child() const { return view.entries()[at].block & 0x0FFFFFFF; }
  };
  Frame frames[kMaxIndexLevels];
  u32 levels = 0;
  u32 hash = 0;
  HashVersion version = kHalfMd4;
  Frame& last() { return frames[levels - 1]; }
};

class Directory final : public Ext4Inode {
 public:
  using Ext4Inode::Ext4Inode;

  Result<RefPtr<Inode>> lookup(StringView name) override;
  Result<void> read_directory(u64 offset, DirectorySink& sink) override;
  Result<RefPtr<Inode>> create(StringView name, FileType type, u32 mode, u32 uid, u32 gid, u64 special_device) override;
  Result<RefPtr<Inode>> symlink(StringView name, StringView target, u32 uid, u32 gid) override;
  Result<void> link(StringView name, Inode& existing) override;
  Result<void> unlink(StringView name, Inode& victim) override;
  Result<void> rmdir(StringView name, Inode& victim) override;
  Result<void> rename(StringView old_name, Inode& moved, Inode& new_parent, StringView new_name, Inode* replaced,
                      bool exchange) override;

 private:
  // Where an entry was found.
  struct Found {
    BufferRef buffer;
    usize offset = 0;    // of the entry
    usize previous = 0;  // of the entry before it in the block; the same when it is the first
    DirEntry& entry() const { return *buffer.at<DirEntry>(offset); }
  };

  u32 blocks() const { return static_cast<u32>(size() >> ext4().geometry().block_shift); }
  bool indexed() const { return (raw().flags & kFlagIndex) != 0 && ext4().indexes(); }
  // Where entries in a leaf end: before the checksum, where there is one.
  usize leaf_end() const { return ext4().block_size() - (ext4().checksums() ? sizeof(DirTail) : 0); }
  u32 role(u32 logical) const { return !indexed() ? kPlainDir : logical == 0 ? kIndexRoot : kMaybeNode; }
  Errno damaged() { return ext4().corrupt("directory", ino()); }

  Result<BufferRef> block(u32 logical);
  Result<Found> find(StringView name);
  // Looks through one block; NoEntry when it is not there.
  Result<Found> find_in(BufferRef buffer, StringView name);

  // --- index (directory_index.cpp) ---
  // The leaf for `name`. Errors: NotSupported (no usable index: search all blocks), Io, NoMemory.
  Result<void> walk_index(StringView name, IndexPath& path);
  // Goes on to the next leaf where equal hashes spill into it; false when there is no such leaf.
  Result<bool> next_leaf(IndexPath& path);
  Result<Found> find_indexed(StringView name);
  u32 index_limit(usize offset) const;
  HashVersion hash_version(u8 stored) const;

  // --- changes (directory_edit.cpp, directory_index_edit.cpp) ---
  Result<void> add(StringView name, u32 number, FileType type);
  Result<void> add_indexed(StringView name, u32 number, FileType type);
  // Enters into a leaf; NoSpace when it does not fit, Exists when the name is there.
  Result<void> add_to_block(const BufferRef& buffer, StringView name, u32 number, FileType type);
  Result<void> remove(StringView name, u32 number);
  Result<BufferRef> append_block(u32& logical, u32 role);
  void init_leaf(const BufferRef& buffer);
  void init_node(const BufferRef& buffer);
  Result<void> make_index();
  Result<void> drop_index();
  Result<void> split_leaf(IndexPath& path, const BufferRef& leaf);
  Result<void> make_room(IndexPath& path);
  Result<RefPtr<Ext4Inode>> make_inode(FileType type, u32 mode, u32 uid, u32 gid);
  Result<bool> empty();
  Result<void> set_parent(u32 number);
};

// Entry types on disk.
u8 entry_type(FileType type);
FileType file_type(u8 entry_type);

}  // namespace uni::fs::ext4
