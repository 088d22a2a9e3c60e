// SPDX-License-Identifier: Apache-2.0
// Permission rules (path_resolution(7), inode(7), capabilities(7)), for the VFS itself.
#pragma once

#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

inline constexpr u32 kMayExecute = 1, kMayWrite = 2, kMayRead = 4;
enum Capability : unsigned {
  kCapChown = 0,
  kCapDacOverride = 1,
  kCapDacReadSearch = 2,
  kCapFowner = 3,
  kCapFsetid = 4,
  kCapSysAdmin = 21,
  kCapMknod = 27,
};
inline constexpr u32 kModeSetUid = 04000, kModeSetGid = 02000, kModeSticky = 01000, kModeGroupExecute = 010;

bool in_group(const Credentials& who, u32 gid);
// May a name in `directory` be made? Errors: Access, ReadOnlyFs.
Result<void> may_create(const Dentry& directory, const Credentials& who);
// May the name of `victim` in `directory` be taken away? Errors: Access, NotPermitted (sticky).
Result<void> may_delete(const Dentry& directory, Inode& victim, const Credentials& who);
// Owner and mode of a new inode in `directory`: its set-group-ID bit hands down the group.
struct NewOwner {
  u32 uid, gid, mode;
};
Result<NewOwner> new_owner(Inode& directory, FileType type, u32 mode, const Credentials& who);
// May `who` make a further name for the file (protected_hardlinks, proc(5))? Errors: NotPermitted.
Result<void> may_link(Inode& inode, const Credentials& who);
// May `who` follow a link in that directory (protected_symlinks)? Errors: Access.
Result<void> may_follow(Inode& directory, Inode& link, const Credentials& who);
// The content is about to be changed: set-ID bits go unless the writer has CAP_FSETID (inode(7)). Needs the inode's
// lock.
Result<void> drop_set_ids(Inode& inode);
// Errors: ReadOnlyFs.
Result<void> writable_place(const Dentry& dentry);

}  // namespace uni::fs
