// SPDX-License-Identifier: Apache-2.0
// Shared subtrees (mount_namespaces(7)). Mounts of one peer group get copies of what is mounted on any of them, slaves
// get copies of what is mounted on their master group. A place corresponds to another where both have the same path in
// the file system and are the same file.
#include "kernel/fs/mount_tree.hpp"

namespace uni::fs::tree {

namespace {
// Only what programs see receives.
bool receives(const Mount& mount) {
  return mount.attached && mount.root;
}

bool first_of_group(const Mount& mount) {
  for (const Mount& m : peers_near(mount.peer_group)) {
    if (m.peer_group == mount.peer_group && receives(m)) return &m == &mount;
  }
  return false;
}

// Finds out who is to get a copy of what; nothing is made before all of them are known.
class Propagator {
 public:
  Propagator(Mount& source, Dentry& place) : source_(source), place_(place) {}

  // Errors: NoMemory, Io.
  Result<void> plan() {
    const String below = TRY(path_in_mount(place_));
    path_ = TRY(path_in_fs(*place_.mount(), below.view()));
    usize same = kOriginal;
    TRY(to_peers(place_.mount()->peer_group, kOriginal, same));
    TRY(work_.push({kOriginal, place_.mount()->peer_group}));
    for (usize i = 0; i < work_.size(); ++i)
      TRY(to_slaves(work_[i].group, work_[i].source));
    return {};
  }

  usize planned() const { return targets_.size(); }

  Result<void> make(Vector<Copy>& copies, Doomed& on_error) {
    TRY(copies.reserve(targets_.size()));
    for (Target& t : targets_) {
      Mount& from = t.source == kOriginal ? source_ : *copies[t.source].mount;
      RefPtr<Mount> made = TRY(copy(from, *from.root, Recursive::kYes, t.kind, on_error));
      MUST(copies.push({uni::move(made), uni::move(t.place)}));  // room was reserved
    }
    return {};
  }

 private:
  static constexpr usize kNone = ~usize{0}, kOriginal = kNone - 1;
  struct Target {
    RefPtr<Dentry> place;
    usize source;  // which target's copy is copied
    CopyKind kind;
  };
  struct Work {
    usize source;
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

  // Gives the target, or kNone where the place is not to be seen there.
  Result<usize> copy_to(Mount& mount, usize source, CopyKind kind) {
    RefPtr<Dentry> place = TRY(corresponding(mount));
    if (!place) return kNone;
    TRY(targets_.push({uni::move(place), source, kind}));
    return targets_.size() - 1;
  }

  // `group_source` is the copy that the group has already, if any.
  Result<void> to_peers(u32 group, usize source, usize& group_source) {
    for (Mount& m : peers_near(group)) {
      if (m.peer_group != group || !receives(m) || &m == place_.mount()) continue;
      const bool first = group_source == kNone;
      const usize made =
          TRY(copy_to(m, first ? source : group_source, first ? CopyKind::kSharedSlave : CopyKind::kPeer));
      if (first) group_source = made;
    }
    return {};
  }

  Result<void> to_slaves(u32 group, usize source) {
    for (Mount& m : slaves_near(group)) {
      if (m.master_group != group || !receives(m) || &m == place_.mount()) continue;
      if (m.peer_group == 0) {
        TRY(copy_to(m, source, CopyKind::kSlave));
      } else if (first_of_group(m)) {
        usize made = kNone;
        TRY(to_peers(m.peer_group, source, made));
        TRY(work_.push({made != kNone ? made : source, m.peer_group}));
      }
    }
    return {};
  }

  Mount& source_;
  Dentry& place_;
  String path_;
  Vector<Target> targets_;
  Vector<Work> work_;
};

// The mounts that get what is mounted on this one.
Result<Vector<Mount*>> receivers(const Mount& mount) {
  Vector<Mount*> found;
  Vector<u32> groups;
  const auto add_peers = [&](u32 group) -> Result<void> {
    for (Mount& m : peers_near(group))
      if (m.peer_group == group && receives(m) && &m != &mount) TRY(found.push(&m));
    return groups.push(group);
  };
  if (mount.peer_group != 0) TRY(add_peers(mount.peer_group));
  for (usize i = 0; i < groups.size(); ++i) {
    const u32 group = groups[i];
    for (Mount& m : slaves_near(group)) {
      if (m.master_group != group || !receives(m) || &m == &mount) continue;
      if (m.peer_group == 0)
        TRY(found.push(&m));
      else if (first_of_group(m))
        TRY(add_peers(m.peer_group));
    }
  }
  return found;
}
}  // namespace

Result<void> propagate(Mount& source, Dentry& place, Budget budget, Vector<Copy>& copies, Doomed& on_error) {
  if (place.mount()->peer_group == 0) return {};
  Propagator propagator(source, place);
  TRY(propagator.plan());
  if (propagator.planned() > budget.room / budget.size) return Errno::NoSpace;
  const Result<void> done = propagator.make(copies, on_error);
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
