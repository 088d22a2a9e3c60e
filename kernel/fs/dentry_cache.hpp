// SPDX-License-Identifier: Apache-2.0
// The hash of dentries, for the VFS itself. A hashed dentry is kept by the hash; one that nobody else holds goes when
// there are too many, oldest first, with a second chance for those used since.
#pragma once

#include "kernel/fs/dentry.hpp"

namespace uni::fs {

inline constexpr usize kNameMax = 255;

constexpr u32 hash_step(u32 hash, char c) {
  return (hash ^ static_cast<u8>(c)) * 0x01000193u;
}
u32 hash_name(StringView name);

class DentryCache {
 public:
  // These need dentry_lock().
  // The hashed child, positive or negative, or null.
  static Dentry* find(const Dentry& parent, StringView name, u32 hash);
  static void insert(Dentry& dentry, u32 hash);
  // Takes it out of the hash; the hash's reference is the caller's to drop, without the lock.
  [[nodiscard]] static RefPtr<Dentry> unhash(Dentry& dentry);
  // Unhashes and marks as unlinked.
  [[nodiscard]] static RefPtr<Dentry> remove(Dentry& dentry);
  // What goes back to the caller of move, to be dropped without the lock.
  struct Moved {
    RefPtr<Dentry> old_parent;
    char* old_name = nullptr;
    ~Moved() { delete[] old_name; }
  };
  // Renames. `heap_name` is room for a long name (name_room), else null.
  static void move(Dentry& dentry, Dentry& new_parent, StringView name, char* heap_name, Moved& out);

  // These must not be called with it.
  // Memory for a name that does not fit into a dentry; null otherwise.
  static Result<char*> name_room(StringView name);
  // Lets go of a few unused ones where there are too many.
  static void trim();
  // Unhashes every unused dentry of a mount.
  static void prune(const Mount& mount);
  // The child of a directory whose inode lock is held: from the cache or the file system. Negative when absent.
  static Result<RefPtr<Dentry>> lookup(Dentry& directory, StringView name, u32 hash);
  // A new positive dentry for an inode just made in `directory` (its lock held), replacing a negative one.
  static Result<RefPtr<Dentry>> add(Dentry& directory, StringView name, u32 hash, RefPtr<Inode> inode);

 private:
  static void move_pins(Dentry& from, Dentry& to, u32 count);
};

}  // namespace uni::fs
