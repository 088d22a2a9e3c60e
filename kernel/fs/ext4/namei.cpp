// SPDX-License-Identifier: Apache-2.0
// Making, linking, renaming and removing files. The VFS has checked permissions and that names exist or do not. An
// inode without links lives until its last user lets it go (release_storage).
#include "kernel/fs/ext4/directory.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::ext4 {

Result<RefPtr<Ext4Inode>> Directory::make_inode(FileType type, u32 mode, u32 uid, u32 gid) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  TRY(ext4().buffers().balance());
  Ext4::NewInode fresh = TRY(ext4().allocate_inode(ino(), type));
  DiskInode& d = *fresh.place.buffer.at<DiskInode>(fresh.place.offset);
  d.mode = static_cast<u16>(mode_type_bits(type) | (mode & 07777));
  d.uid_low = static_cast<u16>(uid);
  d.uid_high = static_cast<u16>(uid >> 16);
  d.gid_low = static_cast<u16>(gid);
  d.gid_high = static_cast<u16>(gid >> 16);
  d.links = 1;
  const u32 inode_size = ext4().geometry().inode_size;
  if (inode_size > kGoodOldInodeSize)
    d.extra_size = static_cast<u16>(min<usize>(sizeof(DiskInode), inode_size) - kGoodOldInodeSize);
  // A new symbolic link is a fast one until it is seen not to be; it needs a size to be sound.
  if (type == FileType::kRegular) init_extents(d);
  if (type == FileType::kSymlink) d.size_low = 1;
  if (type == FileType::kDirectory) {
    init_extents(d);
    d.size_low = ext4().block_size();
  }
  auto made = ext4().inode(fresh.number);
  if (!made.ok()) {
    d.links = 0;
    ext4().free_inode(fresh.number, type).take();
    return made.error();
  }
  Ext4Inode& inode = *made.value();
  if (type == FileType::kDirectory) inode.put_size(0);
  inode.touch(true);
  d.accessed = d.changed;
  if (inode.has_extra(offsetof(DiskInode, created_extra) + 4)) {
    d.created = d.changed;
    d.accessed_extra = d.created_extra = d.changed_extra;
  }
  return made;
}

Result<RefPtr<Inode>> Directory::create(StringView name, FileType type, u32 mode, u32 uid, u32 gid,
                                        u64 special_device) {
  RefPtr<Ext4Inode> inode = TRY(make_inode(type, mode, uid, gid));
  // Whatever fails from here on, the last reference frees the inode.
  ScopeGuard undo([&] { inode->raw().links = 0; });
  if (type == FileType::kCharacter || type == FileType::kBlock) {
    // The old 16-bit form where it fits, as Linux writes it.
    const bool old_form = special_device <= 0xFFFF;
    inode->raw().block[old_form ? 0 : 1] = static_cast<u32>(special_device);
  }
  if (type == FileType::kDirectory) {
    auto& directory = static_cast<Directory&>(*inode);
    u32 logical;
    const BufferRef first = TRY(directory.append_block(logical, kPlainDir));
    directory.init_leaf(first);
    auto* dot = first.at<DirEntry>(0);
    auto* dot_dot = first.at<DirEntry>(12);
    const u8 kind = ext4().entry_types() ? entry_type(FileType::kDirectory) : u8{0};
    *dot_dot = {ino(), static_cast<u16>(leaf_end() - 12), 2, kind};
    name_of(*dot_dot)[0] = name_of(*dot_dot)[1] = '.';
    *dot = {inode->ino(), 12, 1, kind};
    name_of(*dot)[0] = '.';
    first.changed();
  }
  TRY(add(name, inode->ino(), type));
  undo.dismiss();
  if (type == FileType::kDirectory) {
    inode->raw().links = 2;
    inode->changed();
    add_links(1);
  }
  touch(true);
  return RefPtr<Inode>(uni::move(inode));
}

Result<RefPtr<Inode>> Directory::symlink(StringView name, StringView target, u32 uid, u32 gid) {
  if (target.size() >= ext4().block_size()) return Errno::NameTooLong;
  RefPtr<Ext4Inode> inode = TRY(make_inode(FileType::kSymlink, 0777, uid, gid));
  ScopeGuard undo([&] { inode->raw().links = 0; });
  if (target.size() < kInlineBytes) {
    __builtin_memcpy(inode->raw().block, target.data(), target.size());
  } else {
    init_extents(inode->raw());
    LockGuard guard(inode->map_lock);
    const Ext4::Run run = TRY(ext4().allocate_blocks(ext4().goal_for(inode->ino()), 1));
    MUST(insert_mapping(*inode, {0, 1, run.first, false}));  // an empty root has room, so no node is needed
    inode->add_blocks(1);
    const BufferRef block = TRY(ext4().buffers().create(run.first, {BlockKind::kPlain, inode->seed()}));
    __builtin_memcpy(block.data(), target.data(), target.size());
    block.changed();
  }
  inode->put_size(target.size());
  TRY(add(name, inode->ino(), FileType::kSymlink));
  undo.dismiss();
  touch(true);
  return RefPtr<Inode>(uni::move(inode));
}

Result<void> Directory::link(StringView name, Inode& existing) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  auto& inode = static_cast<Ext4Inode&>(existing);
  if (inode.links() >= kLinkMax) return Errno::TooManyLinks;
  TRY(add(name, inode.ino(), inode.type()));
  inode.raw().deleted = 0;
  inode.add_links(1);
  inode.touch(false);
  touch(true);
  return {};
}

Result<void> Directory::unlink(StringView name, Inode& victim) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  auto& inode = static_cast<Ext4Inode&>(victim);
  TRY(ext4().buffers().balance());
  TRY(remove(name, inode.ino()));
  inode.add_links(-1);
  inode.touch(false);
  touch(true);
  return {};
}

Result<void> Directory::rmdir(StringView name, Inode& victim) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  auto& directory = static_cast<Directory&>(victim);
  if (!TRY(directory.empty())) return Errno::NotEmpty;
  TRY(remove(name, directory.ino()));
  directory.raw().links = 0;
  directory.touch(false);
  add_links(-1);
  touch(true);
  return {};
}

// Both directories are locked by the VFS, and `replaced` where it is a directory.
Result<void> Directory::rename(StringView old_name, Inode& moved_inode, Inode& new_parent_inode, StringView new_name,
                               Inode* replaced_inode, bool exchange) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  auto& moved = static_cast<Ext4Inode&>(moved_inode);
  auto& to = static_cast<Directory&>(new_parent_inode);
  auto* replaced = static_cast<Ext4Inode*>(replaced_inode);
  const bool moved_directory = moved.type() == FileType::kDirectory;
  const bool other_parent = &to != this;
  const bool types = ext4().entry_types();
  if (exchange) {
    if (replaced == nullptr) return Errno::NoEntry;
    const Found from = TRY(find(old_name))
    , target = TRY(to.find(new_name));
    if (from.entry().inode != moved.ino() || target.entry().inode != replaced->ino()) return damaged();
    uni::swap(from.entry().inode, target.entry().inode);
    if (types) uni::swap(from.entry().type, target.entry().type);
    from.buffer.changed();
    target.buffer.changed();
    const bool replaced_directory = replaced->type() == FileType::kDirectory;
    if (other_parent && moved_directory) TRY(static_cast<Directory&>(moved).set_parent(to.ino()));
    if (other_parent && replaced_directory) TRY(static_cast<Directory*>(replaced)->set_parent(ino()));
    if (other_parent && moved_directory != replaced_directory) {
      add_links(moved_directory ? -1 : 1);
      to.add_links(moved_directory ? 1 : -1);
    }
    replaced->touch(false);
  } else {
    if (replaced != nullptr) {
      const bool directory = replaced->type() == FileType::kDirectory;
      if (directory && !TRY(static_cast<Directory*>(replaced)->empty())) return Errno::NotEmpty;
      const Found target = TRY(to.find(new_name));
      if (target.entry().inode != replaced->ino()) return damaged();
      target.entry().inode = moved.ino();
      if (types) target.entry().type = entry_type(moved.type());
      target.buffer.changed();
      if (directory) {
        replaced->raw().links = 0;
        to.add_links(-1);
      } else {
        replaced->add_links(-1);
      }
      replaced->touch(false);
    } else {
      TRY(to.add(new_name, moved.ino(), moved.type()));
    }
    TRY(remove(old_name, moved.ino()));
    if (moved_directory && other_parent) {
      TRY(static_cast<Directory&>(moved).set_parent(to.ino()));
      add_links(-1);
      to.add_links(1);
    }
  }
  moved.touch(false);
  touch(true);
  if (other_parent) to.touch(true);
  return {};
}

Result<void> Ext4Inode::truncate_blocks(u64 new_size) {
  if ((raw().flags & kFlagExtents) == 0) return {};
  const u64 block_size = fs_.block_size();
  const u64 first = (new_size + block_size - 1) >> fs_.geometry().block_shift;
  if (first > kMaxLogicalBlock) return {};
  LockGuard guard(map_lock);
  return remove_mappings(*this, static_cast<u32>(first), kMaxLogicalBlock);
}

// Errors leave blocks in use that nothing refers to; e2fsck finds them.
void Ext4Inode::release_storage() {
  truncate_blocks(0).take();
  release_xattr_block();
  put_size(0);
  raw_->deleted = static_cast<u32>(time::realtime_ns() / time::kSecond);
  fs_.free_inode(ino(), type()).take();
}

}  // namespace uni::fs::ext4
