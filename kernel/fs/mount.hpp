// SPDX-License-Identifier: Apache-2.0
// The tree of mounts (mount(2), mount_namespaces(7)). Everything here may block and needs no lock held, unless it says
// otherwise; a `place` or `root` is a looked-up dentry, held by the caller.
#pragma once

#include "kernel/fs/dentry.hpp"
#include "kernel/fs/file.hpp"

namespace uni::fs {

enum class Recursive : u8 { kNo, kYes };
enum class Propagation : u8 { kShared, kPrivate, kSlave, kUnbindable };
enum class Stack : u8 { kOnTop, kBeneath };

// /proc/sys/fs/mount-max: how many mounts programs may see.
extern std::atomic<u64> g_most_mounts;

// A mount that is nowhere yet; whoever has it must attach or dissolve it. Errors: NoMemory.
Result<RefPtr<Mount>> make_mount(RefPtr<FileSystem> fs, StringView source, u32 flags);
// A copy of the mount that `from` is in, with `from` as its root, and of the mounts below it where that is asked for.
// Errors: Invalid (unbindable, or of no mount that is still there), NoMemory.
Result<RefPtr<Mount>> copy_mount(Dentry& from, Recursive recursive);
// Puts a mount that is nowhere (with those below it) at a place. Peers of the place's mount, and their slaves, get
// copies. On an error it is still the caller's. Errors: Invalid, NotDirectory, NoEntry, NoSpace (too many), NoMemory.
Result<void> attach_mount(Mount& mount, Dentry& place, Stack stack = Stack::kOnTop);
// Lets go of one that was never attached, and of those below it; nothing if it is attached or gone.
void dissolve_mount(Mount& mount);

// mount(2) with MS_BIND. Errors: as copy_mount() and attach_mount().
Result<void> bind_mount(Dentry& from, Dentry& place, Recursive recursive);
// mount(2) with MS_MOVE, move_mount(2). A detached mount may be named too. Errors: Invalid, NotDirectory, Loop (to
// below itself), Busy, NoSpace, NoMemory.
Result<void> move_mount(Dentry& root, Dentry& place, Stack stack = Stack::kOnTop);
// Errors: Invalid (no root of a mount), NoMemory.
Result<void> set_propagation(Dentry& root, Propagation how, Recursive recursive);
// Makes `group_of`'s peers and masters those of the mount too (MOVE_MOUNT_SET_GROUP). Errors: Invalid.
Result<void> join_group(Dentry& group_of, Dentry& root);

// Changes the flags of a mount, or of all below it too: `clear` goes first. Errors: Invalid (no root of a mount), Busy
// (read-only, while files are open for writing).
struct FlagChange {
  u32 set = 0, clear = 0;
};
Result<void> change_mount_flags(Dentry& root, FlagChange change, Recursive recursive);

// umount2(2). Errors: Invalid (no root of a mount), Busy (an open file, a cwd, a mount upon it: unless lazy), Again
// (kExpire: marked, to be unmounted by the next call).
enum class Unmount : u8 { kNormal, kLazy, kExpire };
Result<void> unmount(Dentry& root, Unmount how);

// The mounts that programs see, oldest first. Errors: NoMemory.
Result<Vector<RefPtr<Mount>>> mounts();
// Where the mount is and what it belongs to, as a consistent picture.
struct MountPlace {
  u32 parent = 0;       // its own number for the root of the tree
  RefPtr<Dentry> root;  // null: unmounted
};
MountPlace place_of(Mount& mount);
// The mount of that number in the tree, or null.
RefPtr<Mount> find_mount(u64 id);

// How often the tree has changed, and who waits for that (proc_pid_mounts(5)).
u64 mount_changes();
WaitQueue& mount_queue();

}  // namespace uni::fs
