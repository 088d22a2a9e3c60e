// SPDX-License-Identifier: Apache-2.0
// The calls on the tree of mounts. A mount covers one dentry; several may cover one place, one on the root of the
// other. A bind mount is a mount of its own over the same file system; as the same directory then has two dentries,
// both mounts are marked aliased, and names below them are asked from the file system each time.
#include "kernel/fs/mount.hpp"

#include "kernel/fs/mount_tree.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {
constinit Mount* g_root = nullptr;  // counted, never dropped
constinit std::atomic<u64> g_changes{1};
constinit WaitQueue g_waiting;
constinit u64 g_search = 0;

void changed() {
  g_changes.fetch_add(1, std::memory_order_acq_rel);
  g_waiting.wake_all(kPollPri | kPollErr);
}

// The mount that `root` is the root of. Errors: Invalid.
Result<Mount*> mount_at_root(Dentry& root) {
  Mount* mount = root.mount();
  if (mount == nullptr || mount->root.get() != &root) return Errno::Invalid;
  return mount;
}

bool is_below(Mount& mount, const Mount& above) {
  for (Mount* m = &mount; m != nullptr; m = m->at ? m->at->mount() : nullptr) {
    if (m == &above) return true;
  }
  return false;
}

void set_attached(const Vector<Mount*>& mounts, bool attached) {
  for (Mount* m : mounts)
    tree::set_attached(*m, attached);
}

// Gives those of a tree that have no group one of their own, and takes it back unless it is kept.
class NewGroups {
 public:
  NewGroups() = default;
  ~NewGroups() {
    for (Mount* m : given_)
      tree::change_type(*m, Propagation::kPrivate);
  }
  NewGroups(const NewGroups&) = delete;
  NewGroups& operator=(const NewGroups&) = delete;
  Result<void> give(const Vector<Mount*>& mounts) {
    TRY(given_.reserve(mounts.size()));
    for (Mount* m : mounts) {
      if (m->peer_group != 0 || m->master_group != 0) {
        if (m->peer_group == 0) tree::change_type(*m, Propagation::kShared);
        continue;
      }
      MUST(given_.push(m));  // room was reserved
      tree::change_type(*m, Propagation::kShared);
    }
    return {};
  }
  void keep() { given_.clear(); }

 private:
  Vector<Mount*> given_;
};

// How many more mounts there may be. Errors: NoSpace (not even `own`).
Result<usize> room_beside(usize own) {
  const usize used = tree::attached_count() + own;
  const usize most = g_most_mounts.load(std::memory_order_relaxed);
  if (used > most) return Errno::NoSpace;
  return most - used;
}

Result<Vector<Mount*>> all_of(const Vector<tree::Copy>& copies) {
  Vector<Mount*> all;
  for (const tree::Copy& copy : copies) {
    for (Mount* m : TRY(tree::subtree(*copy.mount)))
      TRY(all.push(m));
  }
  return all;
}

// Slips `lower` between the mount on top of `place` and what that covers. Needs dentry_lock().
RefPtr<Dentry> link_beneath(Mount& lower, Dentry& place) {
  Mount& upper = *place.mounted;
  RefPtr<Dentry> covered = tree::unlink(upper);
  tree::link(lower, place);
  tree::link(upper, *topmost(lower.root.get()));
  return covered;
}

// Over what covers `place` already: a copy must not hide what its receiver has there. Needs dentry_lock().
void link_copy(const tree::Copy& copy) {
  if (copy.place->mounted == nullptr)
    tree::link(*copy.mount, *copy.place);
  else
    link_beneath(*copy.mount, *copy.place);  // never the last reference: the copy has one on the place
}

Result<void> put(Mount& mount, Dentry& place, Stack stack, tree::Doomed& doomed) {
  if (place.inode() == nullptr) return Errno::NoEntry;
  RefPtr<Dentry> over;
  {
    LockGuard guard(dentry_lock());
    over = stack == Stack::kBeneath ? place.mount()->at : RefPtr<Dentry>(topmost(&place));
    if (!over || over->deleted()) return Errno::NoEntry;
  }
  Mount& parent = *over->mount();
  if (parent.root.get() == nullptr) return Errno::Invalid;
  const Vector<Mount*> mounts = TRY(tree::subtree(mount));
  const usize room = mount.attached || !parent.attached ? TRY(room_beside(0)) : TRY(room_beside(mounts.size()));
  NewGroups groups;
  Vector<tree::Copy> copies;
  if (parent.peer_group != 0) TRY(groups.give(mounts));
  TRY(tree::propagate(mount, *over, {mounts.size(), room}, copies, doomed));
  Result<Vector<Mount*>> made = all_of(copies);
  if (!made.ok()) {
    for (const tree::Copy& copy : copies)
      doomed.add_tree(*copy.mount);
    return made.error();
  }
  groups.keep();
  set_attached(made.value(), true);
  set_attached(mounts, parent.attached);
  RefPtr<Dentry> left, covered;
  {
    LockGuard guard(dentry_lock());
    if (mount.at) left = tree::unlink(mount);
    if (stack == Stack::kBeneath)
      covered = link_beneath(mount, *over);
    else
      tree::link(mount, *over);
    for (const tree::Copy& copy : copies)
      link_copy(copy);
  }
  changed();
  return {};
}

// The place is in the tree that programs see.
bool is_seen(const Dentry& place) {
  return place.mount() != nullptr && place.mount()->attached;
}
}  // namespace

constinit std::atomic<u64> g_most_mounts{2000};

RefPtr<Dentry> real_root() {
  LockGuard guard(dentry_lock());
  return RefPtr<Dentry>(topmost(g_root->root.get()));
}

Result<void> init_root(RefPtr<FileSystem> fs, StringView source) {
  const u32 flags = fs->read_only() ? u32{kMountReadOnly} : 0u;
  const RefPtr<Mount> mount = TRY(make_mount(uni::move(fs), source, flags));
  PageCache::start();
  LockGuard guard(tree::lock());
  tree::set_attached(*mount, true);
  g_root = mount.get();
  return {};
}

Result<RefPtr<Mount>> make_mount(RefPtr<FileSystem> fs, StringView source, u32 flags) {
  RefPtr<Inode> root = TRY(fs->root());
  LockGuard guard(tree::lock());
  return tree::make(uni::move(fs), uni::move(root), source, "/"_sv, flags);
}

Result<RefPtr<Mount>> copy_mount(Dentry& from, Recursive recursive) {
  tree::Doomed doomed;
  LockGuard guard(tree::lock());
  Mount* origin = from.mount();
  if (origin == nullptr || from.inode() == nullptr || !origin->root || origin->unbindable) return Errno::Invalid;
  return tree::copy(*origin, from, recursive, tree::CopyKind::kPeer, doomed);
}

Result<void> attach_mount(Mount& mount, Dentry& place, Stack stack) {
  tree::Doomed doomed;
  LockGuard guard(tree::lock());
  if (mount.at || mount.attached || !mount.root || place.mount() == nullptr) return Errno::Invalid;
  if (place.is_directory() != mount.root->is_directory()) return Errno::NotDirectory;
  return put(mount, place, stack, doomed);
}

void dissolve_mount(Mount& mount) {
  tree::Doomed doomed;
  LockGuard guard(tree::lock());
  if (!mount.attached && !mount.at && mount.root) doomed.add_tree(mount);
}

Result<void> mount_on(Dentry& place, RefPtr<FileSystem> fs, StringView source, u32 flags) {
  if (!is_seen(place)) return Errno::Invalid;
  if (&place.mount()->file_system() == fs.get() && place.parent() == nullptr) return Errno::Busy;
  const RefPtr<Mount> mount = TRY(make_mount(uni::move(fs), source, flags));
  const Result<void> done = attach_mount(*mount, place);
  if (!done.ok()) dissolve_mount(*mount);
  return done;
}

Result<void> mount_at(StringView path, RefPtr<FileSystem> fs, StringView source, u32 flags) {
  RefPtr<FsContext> context = TRY(FsContext::create_root());
  const Credentials root{};
  RefPtr<Dentry> place = TRY(lookup(PathStart{*context, root}, path, kFollow | kMustBeDirectory));
  return mount_on(*place, uni::move(fs), source, flags);
}

Result<void> bind_mount(Dentry& from, Dentry& place, Recursive recursive) {
  if (!is_seen(place)) return Errno::Invalid;
  const RefPtr<Mount> mount = TRY(copy_mount(from, recursive));
  const Result<void> done = attach_mount(*mount, place);
  if (!done.ok()) dissolve_mount(*mount);
  return done;
}

Result<void> move_mount(Dentry& root, Dentry& place, Stack stack) {
  tree::Doomed doomed;
  LockGuard guard(tree::lock());
  Mount& mount = *TRY(mount_at_root(root));
  Mount* to = place.mount();
  if (to == nullptr || !to->root) return Errno::Invalid;
  // A detached mount moves as a whole; one of the tree must be mounted on something.
  if (mount.attached != static_cast<bool>(mount.at)) return Errno::Invalid;
  if (mount.attached && !to->attached) return Errno::Invalid;
  if (place.is_directory() != root.is_directory()) return Errno::Invalid;
  if (mount.attached && mount.at->mount()->peer_group != 0) return Errno::Invalid;
  if (stack == Stack::kBeneath) {
    if (to->root.get() != &place || !to->at || to->at->mount() == nullptr) return Errno::Invalid;
    to = to->at->mount();
  }
  if (to->peer_group != 0) {
    for (const Mount* m : TRY(tree::subtree(mount)))
      if (m->unbindable) return Errno::Invalid;
  }
  if (is_below(*to, mount)) return Errno::Loop;
  return put(mount, place, stack, doomed);
}

Result<void> set_propagation(Dentry& root, Propagation how, Recursive recursive) {
  LockGuard guard(tree::lock());
  Mount& top = *TRY(mount_at_root(root));
  if (recursive == Recursive::kNo) {
    tree::change_type(top, how);
  } else {
    for (Mount* m : TRY(tree::subtree(top)))
      tree::change_type(*m, how);
  }
  changed();
  return {};
}

Result<void> join_group(Dentry& group_of, Dentry& root) {
  LockGuard guard(tree::lock());
  Mount& from = *TRY(mount_at_root(group_of));
  Mount& to = *TRY(mount_at_root(root));
  if (&from.file_system() != &to.file_system()) return Errno::Invalid;
  if (!to.root_path.view().starts_with(from.root_path.view())) return Errno::Invalid;
  if (to.peer_group != 0 || to.master_group != 0) return Errno::Invalid;
  if (from.peer_group == 0 && from.master_group == 0) return Errno::Invalid;
  to.unbindable = false;
  tree::join(to, from.peer_group);
  tree::set_master(to, from.master_group);
  changed();
  return {};
}

Result<void> change_mount_flags(Dentry& root, FlagChange change, Recursive recursive) {
  LockGuard guard(tree::lock());
  Mount& top = *TRY(mount_at_root(root));
  Vector<Mount*> mounts;
  if (recursive == Recursive::kYes)
    mounts = TRY(tree::subtree(top));
  else
    TRY(mounts.push(&top));
  for (const Mount* m : mounts) {
    if ((change.set & kMountReadOnly) != 0 && !m->has(kMountReadOnly) && m->writers.load() != 0) return Errno::Busy;
  }
  for (Mount* m : mounts)
    m->flags.store((m->flags.load() & ~change.clear) | change.set);
  changed();
  return {};
}

namespace {
// What covers the root of `mount`, if it is not to go with it: it takes the place that the mount had.
Mount* stays_over(const Mount& mount) {
  Mount* const over = mount.root->mounted;
  return over != nullptr && !over->marked ? over : nullptr;
}

// Held by the list's owner, by `others`, and by what covers it where that is allowed (a copy came beneath it).
bool is_busy(Mount& mount, u32 others) {
  return !mount.children.empty() || mount.root->ref_count() > 1 + others;
}
bool is_busy_beneath(Mount& mount) {
  const bool covered = mount.root->mounted != nullptr;
  return mount.root->ref_count() > (covered ? 2u : 1u);
}
bool has_only_cover(Mount& mount) {
  for (const Mount& child : mount.children)
    if (&child != mount.root->mounted) return false;
  return true;
}

// What goes with `mounts`: what was propagated from them, as long as all below it goes too. Where one of them is itself
// in the place of a copy of another, it adds nothing new.
Result<void> find_propagated(Vector<Mount*>& mounts, Unmount how) {
  const usize own = mounts.size();
  ++g_search;
  for (usize i = 0; i < own; ++i) {
    if (mounts[i]->reached_by == g_search) continue;
    Vector<Mount*> others;
    TRY(tree::propagated(*mounts[i], others));
    for (Mount* m : others) {
      m->reached_by = g_search;
      if (m->marked || m == g_root) continue;
      if (how != Unmount::kLazy && !has_only_cover(*m)) continue;
      DentryCache::prune(*m);
      if (how != Unmount::kLazy && is_busy_beneath(*m)) return Errno::Busy;
      TRY(mounts.push(m));
      m->marked = true;
    }
  }
  return {};
}

void keep(Mount& mount) {
  for (Mount* m = &mount; m->marked; m = m->at->mount()) {
    m->marked = false;
    if (m->at->mount()->root->mounted == m) return;
  }
}

Result<void> add_propagated(Vector<Mount*>& mounts, Unmount how) {
  TRY(find_propagated(mounts, how));
  // One that keeps something below it stays, and so does what it is below of, unless it merely covers that.
  for (Mount* m : mounts) {
    for (const Mount& child : m->children) {
      if (child.marked || &child == m->root->mounted) continue;
      keep(*m);
      break;
    }
  }
  return {};
}

struct Heir {
  Mount* mount;
  RefPtr<Dentry> place;
};

// Those of `mounts` that are marked go; what covered one of them falls to the first place below that stays.
Result<void> let_go(const Vector<Mount*>& mounts, tree::Doomed& doomed) {
  Vector<Heir> heirs;
  Vector<RefPtr<Dentry>> left;
  for (const Mount* m : mounts) {
    Mount* const over = m->marked ? stays_over(*m) : nullptr;
    if (over == nullptr) continue;
    while (m->at->mount()->marked)
      m = m->at->mount();
    TRY(heirs.push({over, m->at}));
  }
  TRY(left.reserve(heirs.size()));
  {
    LockGuard guard(dentry_lock());
    for (const Heir& heir : heirs)
      MUST(left.push(tree::unlink(*heir.mount)));  // room was reserved
  }
  for (Mount* m : mounts)
    if (m->marked) doomed.add(*m);
  LockGuard guard(dentry_lock());
  for (const Heir& heir : heirs)
    tree::link(*heir.mount, *topmost(heir.place.get()));
  return {};
}
}  // namespace

Result<void> unmount(Dentry& root, Unmount how) {
  if (root.parent() != nullptr || root.mount() == nullptr) return Errno::Invalid;
  const RefPtr<Mount> mount(root.mount());
  PageCache::flush_all().take();  // an error stays with the pages, and fsync reported it
  DentryCache::prune(*mount);
  tree::Doomed doomed;
  LockGuard guard(tree::lock());
  if (mount->root.get() != &root || !mount->attached) return Errno::Invalid;
  if (mount.get() == g_root) return how == Unmount::kExpire ? Errno::Invalid : Errno::Busy;
  constexpr u32 kCaller = 1;
  if (how != Unmount::kLazy && is_busy(*mount, kCaller)) return Errno::Busy;
  if (how == Unmount::kExpire && !mount->expiring.exchange(true)) return Errno::Again;
  Vector<Mount*> mounts = TRY(tree::subtree(*mount));
  for (Mount* m : mounts)
    m->marked = true;
  Result<void> done = add_propagated(mounts, how);
  if (done.ok()) done = let_go(mounts, doomed);
  for (Mount* m : mounts)
    m->marked = false;
  if (done.ok()) changed();
  return done;
}

Result<Vector<RefPtr<Mount>>> mounts() {
  Vector<RefPtr<Mount>> all;
  LockGuard guard(tree::lock());
  for (Mount& mount : tree::all()) {
    if (mount.attached) TRY(all.push(RefPtr<Mount>(&mount)));
  }
  return all;
}

MountPlace place_of(Mount& mount) {
  LockGuard guard(dentry_lock());
  const bool has_parent = mount.at && mount.at->mount() != nullptr;
  return {has_parent ? mount.at->mount()->id() : mount.id(), mount.root};
}

RefPtr<Mount> find_mount(u64 id) {
  LockGuard guard(tree::lock());
  for (Mount& mount : tree::all()) {
    if (mount.id() == id && mount.attached) return RefPtr<Mount>(&mount);
  }
  return {};
}

u64 mount_changes() {
  return g_changes.load(std::memory_order_acquire);
}

WaitQueue& mount_queue() {
  return g_waiting;
}

void sync_all() {
  PageCache::flush_all().take();  // an error stays with the pages
  Result<Vector<RefPtr<Mount>>> all = mounts();
  if (!all.ok()) return;
  for (RefPtr<Mount>& mount : all.value())
    mount->file_system().sync().take();  // sync(2) has no errors
}

}  // namespace uni::fs
