// SPDX-License-Identifier: Apache-2.0
// Shared subtrees (mount_namespaces(7)). Mounts of one peer group get copies of what is mounted on any of them, slaves
// get copies of what is mounted on their master group. A group is a number that its members carry. A place corresponds
// to another where both have the same path in the file system and are the same file.
#include "kernel/fs/mount_tree.hpp"

namespace uni::fs::tree {

namespace {
bool in_use(u32 group) {
  for (const Mount& m : all()) {
    if (m.peer_group == group) return true;
  }
  return false;
}

// Only what programs see receives.
bool receives(const Mount& mount) {
  return mount.attached && mount.root;
}

bool first_of_group(const Mount& mount) {
  for (const Mount& m : all()) {
    if (m.peer_group == mount.peer_group && receives(m)) return &m == &mount;
  }
  return false;
}

class Propagator {
 public:
  Propagator(Dentry& place, Vector<Copy>& copies, Doomed& on_error)
      : place_(place), copies_(copies), on_error_(on_error) {}

  Result<void> run(Mount& source) {
    const String below = TRY(path_in_mount(place_));
    path_ = TRY(path_in_fs(*place_.mount(), below.view()));
    Mount* same = &source;
    TRY(to_peers(place_.mount()->peer_group, source, same));
    TRY(work_.push({&source, place_.mount()->peer_group}));
    for (usize i = 0; i < work_.size(); ++i)
      TRY(to_slaves(work_[i].group, *work_[i].source));
    return {};
  }

 private:
  struct Work {
    Mount* source;
    u32 group;
  };

  // The corresponding place in `mount`, or null.
  Result<RefPtr<Dentry>> corresponding(Mount& mount) {
    const StringView root = mount.root_path.view() == "/"_sv ? StringView() : mount.root_path.view();
    const StringView path = path_.view() == "/"_sv ? StringView() : path_.view();
    if (&mount.file_system() != &place_.mount()->file_system() || !path.starts_with(root)) return RefPtr<Dentry>();
    const StringView rest = path.slice(root.size());
    if (!rest.empty() && rest[0] != '/') return RefPtr<Dentry>();
    Result<RefPtr<Dentry>> found = find(mount, rest);
    if (!found.ok() && found.error() == Errno::NoEntry) return RefPtr<Dentry>();
    if (!found.ok()) return found.error();
    if (found.value()->inode()->number() != place_.inode()->number()) return RefPtr<Dentry>();
    return found;
  }

  // Gives the copy, or null where the place is not to be seen there.
  Result<Mount*> copy_to(Mount& mount, Mount& source, CopyKind kind) {
    RefPtr<Dentry> place = TRY(corresponding(mount));
    if (!place) return static_cast<Mount*>(nullptr);
    TRY(copies_.reserve(copies_.size() + 1));
    RefPtr<Mount> made = TRY(copy(source, *source.root, Recursive::kYes, kind, on_error_));
    Mount* const gives = made.get();
    MUST(copies_.push({uni::move(made), uni::move(place)}));  // room was reserved
    return gives;
  }

  // `group_source` is the copy that the group has already, if any.
  Result<void> to_peers(u32 group, Mount& source, Mount*& group_source) {
    if (group == 0) return {};
    for (Mount& m : all()) {
      if (m.peer_group != group || !receives(m) || &m == place_.mount()) continue;
      const CopyKind kind = group_source != nullptr ? CopyKind::kPeer : CopyKind::kSharedSlave;
      Mount* const made = TRY(copy_to(m, group_source != nullptr ? *group_source : source, kind));
      if (group_source == nullptr) group_source = made;
    }
    return {};
  }

  Result<void> to_slaves(u32 group, Mount& source) {
    if (group == 0) return {};
    for (Mount& m : all()) {
      if (m.master_group != group || !receives(m) || &m == place_.mount()) continue;
      if (m.peer_group == 0) {
        TRY(copy_to(m, source, CopyKind::kSlave));
      } else if (first_of_group(m)) {
        Mount* made = nullptr;
        TRY(to_peers(m.peer_group, source, made));
        TRY(work_.push({made != nullptr ? made : &source, m.peer_group}));
      }
    }
    return {};
  }

  Dentry& place_;
  Vector<Copy>& copies_;
  Doomed& on_error_;
  String path_;
  Vector<Work> work_;
};

// The mounts that get what is mounted on this one.
Result<Vector<Mount*>> receivers(const Mount& mount) {
  Vector<Mount*> found;
  Vector<u32> groups;
  if (mount.peer_group != 0) TRY(groups.push(mount.peer_group));
  for (usize i = 0; i < groups.size(); ++i) {
    for (Mount& m : all()) {
      if (&m == &mount || !receives(m)) continue;
      const bool slave = m.master_group == groups[i];
      if (!slave && !(i == 0 && m.peer_group == groups[0])) continue;
      if (slave && m.peer_group != 0) {
        if (!first_of_group(m)) continue;
        TRY(groups.push(m.peer_group));
        for (Mount& peer : all())
          if (peer.peer_group == m.peer_group && receives(peer)) TRY(found.push(&peer));
        continue;
      }
      TRY(found.push(&m));
    }
  }
  return found;
}
}  // namespace

u32 new_group() {
  for (u32 group = 1;; ++group) {
    if (!in_use(group)) return group;
  }
}

void leave_groups(Mount& mount) {
  const u32 left = mount.peer_group;
  const u32 master = mount.master_group;
  mount.peer_group = mount.master_group = 0;
  if (left == 0 || in_use(left)) return;
  for (Mount& m : all()) {
    if (m.master_group == left) m.master_group = master;
  }
}

void change_type(Mount& mount, Propagation how) {
  if (how != Propagation::kSlave) mount.unbindable = how == Propagation::kUnbindable;
  if (how == Propagation::kShared) {
    if (mount.peer_group == 0) mount.peer_group = new_group();
    return;
  }
  const u32 group = mount.peer_group;
  const u32 master = mount.master_group;
  if (how == Propagation::kSlave && group == 0) return;
  leave_groups(mount);
  if (how == Propagation::kSlave) mount.master_group = in_use(group) ? group : master;
}

Result<void> propagate(Mount& source, Dentry& place, Vector<Copy>& copies, Doomed& on_error) {
  if (place.mount()->peer_group == 0) return {};
  Propagator propagator(place, copies, on_error);
  const Result<void> done = propagator.run(source);
  if (done.ok()) return done;
  for (const Copy& copy : copies)
    on_error.add_tree(*copy.mount);
  copies.clear();
  return done;
}

Result<void> propagated(Mount& mount, Vector<Mount*>& out) {
  if (!mount.at || mount.at->mount() == nullptr) return {};
  Mount& parent = *mount.at->mount();
  if (parent.peer_group == 0) return {};
  const String below = TRY(path_in_mount(*mount.at));
  const String path = TRY(path_in_fs(parent, below.view()));
  for (Mount* m : TRY(receivers(parent))) {
    const StringView root = m->root_path.view() == "/"_sv ? StringView() : m->root_path.view();
    const StringView whole = path.view() == "/"_sv ? StringView() : path.view();
    if (!whole.starts_with(root) || (whole.size() > root.size() && whole[root.size()] != '/')) continue;
    const Result<RefPtr<Dentry>> place = find(*m, whole.slice(root.size()));
    if (!place.ok()) continue;  // not to be seen there
    if (place.value()->mounted != nullptr) TRY(out.push(place.value()->mounted));
  }
  return {};
}

}  // namespace uni::fs::tree
