// SPDX-License-Identifier: Apache-2.0
// Names: the dentry cache and the tree of mounts. A Dentry is a place (a name below a parent, in one mount), so a path
// is one Dentry: a bind mount has a tree of its own. Locking: name, parent, hash and mount links are under one spin
// lock (dentry_lock()); a dentry's inode and mount never change. The hash holds a reference on each dentry that it
// finds.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs {

class Dentry;

// MS_* (mount(2)). Access times are "relatime" unless one of the others is set.
enum MountFlag : u32 {
  kMountReadOnly = 1,
  kMountNoSuid = 2,
  kMountNoDev = 4,
  kMountNoExec = 8,
  kMountNoSymfollow = 256,
  kMountNoAtime = 1024,
  kMountNoDirectoryAtime = 2048,
  kMountStrictAtime = 1 << 24,
};
inline constexpr u32 kMountAtimeFlags = kMountNoAtime | kMountNoDirectoryAtime | kMountStrictAtime;

// A file system (or a part of one) that is attached at a place, or not yet (open_tree(2), fsmount(2)). Kept alive by
// its root dentry. What has no other note is under the lock of the tree (kernel/fs/mount.cpp).
class Mount : public RefCounted {
 public:
  Mount(RefPtr<FileSystem> fs, u32 id);
  FileSystem& file_system() const { return *fs_; }
  u32 id() const { return id_; }
  bool read_only() const {
    return ((flags.load(std::memory_order_relaxed) | fs_->super_flags.load(std::memory_order_relaxed)) &
            kMountReadOnly) != 0 ||
           fs_->read_only();
  }
  bool has(u32 flag) const { return (flags.load(std::memory_order_relaxed) & flag) != 0; }

  std::atomic<u32> flags{0};          // MountFlag bits
  std::atomic<u32> writers{0};        // open file descriptions of regular files that may write
  std::atomic<bool> expiring{false};  // MNT_EXPIRE marked it, and no path has led to it since
  String source;                      // what /proc/mounts shows first
  String root_path;                   // its root's path in the file system, as it was when it was bound
  RefPtr<Dentry> root;                // null once unmounted
  RefPtr<Dentry> at;      // the place it covers; null for the root mount and for what is detached. Under dentry_lock()
  bool aliased = false;   // the file system is seen through another mount too: its names are looked up each time
  bool attached = false;  // in the tree that programs see
  bool unbindable = false;  // mount_namespaces(7): shared with peers, slave of a group, or neither; 0: no group
  bool marked = false;      // for searches
  u64 reached_by = 0;       // the last search that came here
  u32 peer_group = 0;
  u32 master_group = 0;
  u32 cached_names = 0;  // hashed dentries below its root; under dentry_lock()
  ListNode node;         // in the list of all mounts
  ListNode sibling;      // among its parent's
  ListNode peer;         // among those of groups of peers
  ListNode slave;        // among those that have a master
  List<Mount, &Mount::sibling> children;
  RefPtr<Dentry> left_root, left_at;  // of one that is on its way out

 private:
  ~Mount() override;
  RefPtr<FileSystem> fs_;
  u32 id_;
};

class Dentry final : public RefCounted {
 public:
  // A dentry that no lookup finds until it is hashed. `inode` null: the name is known to be absent. Errors: NoMemory.
  static Result<RefPtr<Dentry>> create(Mount* mount, Dentry* parent, StringView name, RefPtr<Inode> inode);

  Inode* inode() const { return inode_.get(); }  // null: negative
  Mount* mount() const { return mount_; }        // null for what has no place (pipes, memfd)
  bool is_directory() const { return inode_ && inode_->type() == FileType::kDirectory; }
  bool is_symlink() const { return inode_ && inode_->type() == FileType::kSymlink; }
  // May names below it be remembered?
  bool caches_children() const { return caches_children_ && (mount_ == nullptr || !mount_->aliased); }

  // The following need dentry_lock().
  StringView name() const { return {heap_name_ != nullptr ? heap_name_ : inline_name_, name_length_}; }
  Dentry* parent() const { return parent_.get(); }  // null for the root of a mount
  bool hashed() const { return hashed_; }
  bool deleted() const { return deleted_; }

  Mount* mounted = nullptr;  // what covers this place; under dentry_lock()
  u32 pins = 0;              // places at or below this one, in this mount, that are covered; under dentry_lock()

 private:
  friend class DentryCache;
  friend class DentryLru;
  static constexpr usize kInlineName = 36;
  Dentry(Mount* mount, RefPtr<Inode> inode);
  ~Dentry() override;
  void last_unref() override;
  void set_name(StringView text, char* heap_name);
  RefPtr<Mount> mount_reference_;  // of a mount's root; first, as the inode must go before its file system
  RefPtr<Inode> inode_;
  Mount* mount_;  // alive: the root of the mount, an ancestor, holds mount_reference_
  RefPtr<Dentry> parent_;
  Dentry* hash_next_ = nullptr;
  ListNode lru_;
  char* heap_name_ = nullptr;
  u32 hash_ = 0;
  bool hashed_ = false;
  bool deleted_ = false;
  bool used_ = false;
  bool caches_children_ = true;
  u8 name_length_ = 0;
  char inline_name_[kInlineName];
};

SpinLock& dentry_lock();

}  // namespace uni::fs
