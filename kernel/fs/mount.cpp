// SPDX-License-Identifier: Apache-2.0
// The tree of mounts. A mount covers one dentry; several may cover one place, one on the root of the other.
// A bind mount is a mount of its own over the same file system; as the same directory then has two dentries, both
// mounts are marked aliased, and names below them are asked from the file system each time.
#include "kernel/fs/notify.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {
using MountList = List<Mount, &Mount::node>;

constinit Mount* g_root = nullptr;  // counted, never dropped
constinit u32 g_next_id = 1;

MountList& mount_list() {
  alignas(MountList) static constinit unsigned char storage[sizeof(MountList)] = {};
  static constinit MountList* made = nullptr;
  if (made == nullptr) made = new (storage) MountList;
  return *made;
}

Result<RefPtr<Mount>> make_mount(RefPtr<FileSystem> fs, RefPtr<Inode> root, StringView source, u32 flags) {
  RefPtr<Mount> mount = TRY(make_ref<Mount>(uni::move(fs), __atomic_fetch_add(&g_next_id, 1, __ATOMIC_RELAXED)));
  mount->flags = flags;
  mount->source = TRY(String::copy(source));
  mount->root = TRY(Dentry::create(mount.get(), nullptr, "", uni::move(root)));
  return mount;
}

// Needs dentry_lock(). The list and the covered dentry each hold what they need.
void attach(RefPtr<Mount> mount, Dentry& place) {
  mount->at = RefPtr<Dentry>(&place);
  place.mounted = mount.get();
  mount_list().push_back(*mount.leak());
}

Result<void> attach_at(Dentry& place, RefPtr<Mount> mount) {
  const bool directory = mount->root->is_directory();
  if (place.inode() == nullptr) return Errno::NoEntry;
  if (place.is_directory() != directory) return Errno::NotDirectory;
  LockGuard guard(dentry_lock());
  Dentry* top = topmost(&place);
  if (top->deleted()) return Errno::NoEntry;
  // A place whose parent's names are not remembered must be found again: it is hashed as long as it is covered.
  if (!top->hashed() && top->parent() != nullptr) DentryCache::insert(*top, hash_name(top->name()));
  attach(uni::move(mount), *top);
  return {};
}
}  // namespace

Mount::Mount(RefPtr<FileSystem> fs, u32 id) : fs_(uni::move(fs)), id_(id) {
  fs_->mounts.fetch_add(1);
}

Mount::~Mount() {
  if (fs_->mounts.fetch_sub(1) != 1) return;
  if (notify::active()) [[unlikely]]
    notify::unmounted(*fs_);
  fs_->last_mount_gone();
}

RefPtr<Dentry> real_root() {
  LockGuard guard(dentry_lock());
  return RefPtr<Dentry>(topmost(g_root->root.get()));
}

Result<void> init_root(RefPtr<FileSystem> fs, StringView source) {
  RefPtr<Inode> root = TRY(fs->root());
  const u32 flags = fs->read_only() ? u32{kMountReadOnly} : 0u;
  RefPtr<Mount> mount = TRY(make_mount(uni::move(fs), uni::move(root), source, flags));
  PageCache::start();
  LockGuard guard(dentry_lock());
  g_root = mount.get();
  mount_list().push_back(*mount.leak());
  return {};
}

Result<void> mount_on(Dentry& place, RefPtr<FileSystem> fs, StringView source, u32 flags) {
  RefPtr<Inode> root = TRY(fs->root());
  return attach_at(place, TRY(make_mount(uni::move(fs), uni::move(root), source, flags)));
}

Result<void> mount_at(StringView path, RefPtr<FileSystem> fs, StringView source, u32 flags) {
  RefPtr<FsContext> context = TRY(FsContext::create_root());
  const Credentials root{};
  RefPtr<Dentry> place = TRY(lookup(PathStart{*context, root}, path, kFollow | kMustBeDirectory));
  return mount_on(*place, uni::move(fs), source, flags);
}

Result<void> bind_mount(Dentry& from, Dentry& place, u32 flags) {
  if (from.mount() == nullptr || from.inode() == nullptr) return Errno::Invalid;
  Mount& origin = *from.mount();
  RefPtr<Mount> mount = TRY(make_mount(RefPtr<FileSystem>(&origin.file_system()), RefPtr<Inode>(from.inode()),
                                       origin.source.view(), origin.flags | flags));
  mount->aliased = true;
  {
    LockGuard guard(dentry_lock());
    origin.aliased = true;
  }
  return attach_at(place, uni::move(mount));
}

// A mount in use (an open file, a cwd, a mount upon it) is Busy, unless `lazy`: then it only disappears from the tree.
Result<void> unmount(Dentry& root_of_mount, bool lazy) {
  if (root_of_mount.parent() != nullptr || root_of_mount.mount() == nullptr) return Errno::Invalid;
  RefPtr<Mount> mount(root_of_mount.mount());
  if (mount.get() == g_root) return Errno::Busy;
  PageCache::flush_all().take();  // an error stays with the pages, and fsync reported it
  DentryCache::prune(*mount);
  RefPtr<Dentry> root, place, hashed;
  LockGuard guard(dentry_lock());
  if (!mount->at || mount->root.get() != &root_of_mount) return Errno::Invalid;
  // Held by the mount and by the caller.
  if (!lazy && (root_of_mount.ref_count() > 2 || root_of_mount.mounted != nullptr)) return Errno::Busy;
  place = uni::move(mount->at);
  root = uni::move(mount->root);
  place->mounted = nullptr;
  if (place->parent() != nullptr && !place->parent()->caches_children()) hashed = DentryCache::unhash(*place);
  mount_list().remove(*mount);
  mount->unref();  // the list's; `mount` still holds one
  return {};
}

Result<Vector<RefPtr<Mount>>> mounts() {
  Vector<RefPtr<Mount>> all;
  usize count = 0;
  {
    LockGuard guard(dentry_lock());
    for (Mount& mount : mount_list()) {
      (void)mount;
      ++count;
    }
  }
  TRY(all.reserve(count + 4));
  LockGuard guard(dentry_lock());
  for (Mount& mount : mount_list()) {
    if (all.size() < count + 4) MUST(all.push(RefPtr<Mount>(&mount)));  // room was reserved
  }
  return all;
}

void sync_all() {
  PageCache::flush_all().take();  // an error stays with the pages
  Result<Vector<RefPtr<Mount>>> all = mounts();
  if (!all.ok()) return;
  for (RefPtr<Mount>& mount : all.value())
    mount->file_system().sync().take();  // sync(2) has no errors
}

}  // namespace uni::fs
