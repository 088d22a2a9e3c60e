// SPDX-License-Identifier: Apache-2.0
// The inside of the tree of mounts, for kernel/fs/mount*.cpp alone. Everything here needs the tree's lock (lock()),
// which sleeps and comes before any inode's lock; what says so needs dentry_lock() as well.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/fs/mount.hpp"

namespace uni::fs::tree {

using MountList = List<Mount, &Mount::node>;

Mutex& lock();
// Every mount that is not gone, attached or not, oldest first. The list holds a reference on each.
MountList& all();

// Mounts on their way out: what they hold goes when the object does. Make it before the lock is taken.
class Doomed {
 public:
  Doomed() = default;
  ~Doomed();
  Doomed(const Doomed&) = delete;
  Doomed& operator=(const Doomed&) = delete;
  // Takes one out of the tree; its children stay where they are.
  void add(Mount& mount);
  // Takes one and all below it.
  void add_tree(Mount& mount);

 private:
  MountList list_;
};

// A new mount that is nowhere. Errors: NoMemory.
Result<RefPtr<Mount>> make(RefPtr<FileSystem> fs, RefPtr<Inode> root, StringView source, StringView root_path,
                           u32 flags);

// How a copy stands to what it is a copy of: a peer where that is shared, its slave, or a slave that is shared anew.
enum class CopyKind : u8 { kPeer, kSlave, kSharedSlave };
// A copy of `mount` from `root` on, and of what is below it, but for what is unbindable.
Result<RefPtr<Mount>> copy(Mount& mount, Dentry& root, Recursive recursive, CopyKind kind, Doomed& on_error);

// The path of a place in its mount: empty for the root, else "/a/b". Errors: NameTooLong, NoMemory.
Result<String> path_in_mount(Dentry& place);
// `path` from the root of the file system, for a path in the mount.
Result<String> path_in_fs(const Mount& mount, StringView path);
// The place at a path in the mount, never crossing into another. Errors: NoEntry, Io, NoMemory.
Result<RefPtr<Dentry>> find(Mount& mount, StringView path);

// Puts a mount over a place and takes it away: both need dentry_lock(). The place that is given back is to be dropped
// without it.
void link(Mount& mount, Dentry& place);
[[nodiscard]] RefPtr<Dentry> unlink(Mount& mount);

// The mount and those below it, parents first. Errors: NoMemory.
Result<Vector<Mount*>> subtree(Mount& top);

// How many of all() programs see.
usize attached_count();
void set_attached(Mount& mount, bool attached);

// Groups of peers (mount_namespaces(7)). kernel/fs/mount_groups.cpp
using Peers = List<Mount, &Mount::peer>;
using Slaves = List<Mount, &Mount::slave>;
// Those of a group and those whose master it is, with some of other groups between them: the caller compares numbers.
Peers& peers_near(u32 group);
Slaves& slaves_near(u32 group);
bool in_use(u32 group);
// The smallest number that no group has.
u32 new_group();
// For a mount that has no group, no master: 0 leaves it so.
void join(Mount& mount, u32 group);
void set_master(Mount& mount, u32 group);
// Leaves its group and its master; slaves of a group that ends so get its master.
void leave_groups(Mount& mount);
void change_type(Mount& mount, Propagation how);

struct Copy {
  RefPtr<Mount> mount;
  RefPtr<Dentry> place;
};
// The copies of `source` that the peers and slaves of the place's mount are to get: all together at most `room` mounts,
// where each copy has `size`. Nothing is made where they are more. Errors: NoSpace, NoMemory, Io.
struct Budget {
  usize size = 0, room = 0;
};
Result<void> propagate(Mount& source, Dentry& place, Budget budget, Vector<Copy>& copies, Doomed& on_error);
// The mounts that stand where copies of this one were propagated to; those of one of them are among them.
Result<void> propagated(Mount& mount, Vector<Mount*>& out);

}  // namespace uni::fs::tree
