// SPDX-License-Identifier: Apache-2.0
// Groups of peers and their slaves (mount_namespaces(7)). A group is a number that its members carry; they are found by
// it through a table of lists, so that nothing is allocated for a group. Numbers are the smallest that are free.
#include "kernel/fs/mount_tree.hpp"

#include "kernel/base/late.hpp"
namespace uni::fs::tree {

namespace {
struct Groups {
  static constexpr u32 kBuckets = 1024;
  Peers peers[kBuckets];
  Slaves slaves[kBuckets];
  u32 lowest = 1;  // all below are in use
};

// The heads of the lists need a constructor, and no constructor runs at start.
Groups& groups() {
  static constinit Late<Groups> made;
  return made.get();
}
}  // namespace

Peers& peers_near(u32 group) {
  return groups().peers[group % Groups::kBuckets];
}

Slaves& slaves_near(u32 group) {
  return groups().slaves[group % Groups::kBuckets];
}

bool in_use(u32 group) {
  for (const Mount& m : peers_near(group)) {
    if (m.peer_group == group) return true;
  }
  return false;
}

u32 new_group() {
  u32& lowest = groups().lowest;
  while (in_use(lowest))
    ++lowest;
  return lowest;
}

void join(Mount& mount, u32 group) {
  mount.peer_group = group;
  if (group != 0) peers_near(group).push_back(mount);
}

void set_master(Mount& mount, u32 group) {
  mount.master_group = group;
  if (group != 0) slaves_near(group).push_back(mount);
}

void leave_groups(Mount& mount) {
  const u32 left = exchange(mount.peer_group, 0u);
  const u32 master = exchange(mount.master_group, 0u);
  if (master != 0) Slaves::remove(mount);
  if (left == 0) return;
  Peers::remove(mount);
  if (in_use(left)) return;
  groups().lowest = min(groups().lowest, left);
  for (Mount& m : slaves_near(left)) {
    if (m.master_group != left) continue;
    Slaves::remove(m);
    set_master(m, master);
  }
}

void change_type(Mount& mount, Propagation how) {
  if (how != Propagation::kSlave) mount.unbindable = how == Propagation::kUnbindable;
  if (how == Propagation::kShared) {
    if (mount.peer_group == 0) join(mount, new_group());
    return;
  }
  const u32 group = mount.peer_group;
  const u32 master = mount.master_group;
  if (how == Propagation::kSlave && group == 0) return;
  leave_groups(mount);
  if (how == Propagation::kSlave) set_master(mount, in_use(group) ? group : master);
}

}  // namespace uni::fs::tree
