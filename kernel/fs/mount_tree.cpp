// SPDX-License-Identifier: Apache-2.0
// Making, copying, linking and ending mounts. The names above a covered place are kept in the dentry cache as long as
// it is covered, even where names are asked from the file system each time: the way to it must stay the same dentries.
#include "kernel/fs/mount_tree.hpp"

#include "kernel/base/late.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/path.hpp"

namespace uni::fs {

Mount::Mount(RefPtr<FileSystem> fs, u32 id) : fs_(uni::move(fs)), id_(id) {
  fs_->mounts.fetch_add(1);
}

Mount::~Mount() {
  if (fs_->mounts.fetch_sub(1) != 1) return;
  if (notify::active()) [[unlikely]]
    notify::unmounted(*fs_);
  fs_->last_mount_gone();
}

namespace tree {

namespace {
constinit Mutex g_lock;
constinit u32 g_next_id = 1;
constinit usize g_attached = 0;

Result<RefPtr<Mount>> copy_one(Mount& mount, Dentry& root, CopyKind kind) {
  const String below = TRY(path_in_mount(root));
  const String whole = TRY(path_in_fs(mount, below.view()));
  RefPtr<Mount> made = TRY(make(RefPtr<FileSystem>(&mount.file_system()), RefPtr<Inode>(root.inode()),
                                mount.source.view(), whole.view(), mount.flags.load()));
  if (kind == CopyKind::kPeer) {
    join(*made, mount.peer_group);
    set_master(*made, mount.master_group);
  } else {
    set_master(*made, mount.peer_group);
    if (kind == CopyKind::kSharedSlave) join(*made, new_group());
  }
  return made;
}

// Is the path `root` or below it? Gives the rest.
bool below(StringView path, StringView root, StringView& rest) {
  if (!path.starts_with(root)) return false;
  rest = path.slice(root.size());
  return rest.empty() || rest[0] == '/';
}

// For one more, doubling it.
Result<void> make_room(Vector<Mount*>& list) {
  if (list.size() < list.capacity()) return {};
  return list.reserve(max<usize>(8, 2 * list.size()));
}

Result<void> copy_children(Mount& from, StringView root, Mount& to, CopyKind kind, Vector<Mount*>& sources,
                           Vector<Mount*>& copies) {
  for (Mount& child : from.children) {
    if (child.unbindable) continue;
    const String path = TRY(path_in_mount(*child.at));
    StringView rest;
    if (!below(path.view(), root, rest)) continue;
    const RefPtr<Dentry> place = TRY(find(to, rest));
    TRY(make_room(sources));
    TRY(make_room(copies));
    const RefPtr<Mount> made = TRY(copy_one(child, *child.root, kind));
    MUST(sources.push(&child));  // room was reserved
    MUST(copies.push(made.get()));
    LockGuard guard(dentry_lock());
    link(*made, *place);
  }
  return {};
}
// Errors: NameTooLong.
Result<StringView> write_path(Dentry& place, Span<char> buffer) {
  char* at = buffer.end();
  const auto put = [&](StringView text) {
    if (static_cast<usize>(at - buffer.begin()) < text.size()) return false;
    at -= text.size();
    __builtin_memcpy(at, text.data(), text.size());
    return true;
  };
  LockGuard guard(dentry_lock());
  bool fits = !place.deleted() || put("//deleted"_sv);
  for (const Dentry* d = &place; fits && d->parent() != nullptr; d = d->parent())
    fits = put(d->name()) && put("/"_sv);
  if (!fits) return Errno::NameTooLong;
  return StringView(at, static_cast<usize>(buffer.end() - at));
}

// The first alias of a file system marks the mount that was there; later ones find that done. Needs dentry_lock().
void mark_aliased(Mount& mount) {
  FileSystem& fs = mount.file_system();
  if (fs.mounts.load() == 1) {
    fs.aliased = false;
    return;
  }
  mount.aliased = true;
  if (exchange(fs.aliased, true)) return;
  for (Mount& other : all()) {
    if (&other.file_system() == &fs) other.aliased = true;
  }
}
}  // namespace

usize attached_count() {
  return g_attached;
}

void set_attached(Mount& mount, bool attached) {
  if (mount.attached == attached) return;
  mount.attached = attached;
  attached ? ++g_attached : --g_attached;
}

Mutex& lock() {
  return g_lock;
}

MountList& all() {
  static constinit Late<MountList> made;
  return made.get();
}

Result<RefPtr<Mount>> make(RefPtr<FileSystem> fs, RefPtr<Inode> root, StringView source, StringView root_path,
                           u32 flags) {
  RefPtr<Mount> mount = TRY(make_ref<Mount>(uni::move(fs), __atomic_fetch_add(&g_next_id, 1, __ATOMIC_RELAXED)));
  mount->flags.store(flags);
  mount->source = TRY(String::copy(source));
  mount->root_path = TRY(String::copy(root_path));
  mount->root = TRY(Dentry::create(mount.get(), nullptr, "", uni::move(root)));
  LockGuard guard(dentry_lock());
  mark_aliased(*mount);
  mount->ref();
  all().push_back(*mount);
  return mount;
}

Result<RefPtr<Mount>> copy(Mount& mount, Dentry& root, Recursive recursive, CopyKind kind, Doomed& on_error) {
  Vector<Mount*> sources, copies;
  TRY(sources.push(&mount));
  TRY(copies.reserve(1));
  const String top = TRY(path_in_mount(root));
  RefPtr<Mount> made = TRY(copy_one(mount, root, kind));
  MUST(copies.push(made.get()));  // room was reserved
  for (usize i = 0; recursive == Recursive::kYes && i < sources.size(); ++i) {
    const StringView from = i == 0 ? top.view() : StringView();
    const Result<void> done = copy_children(*sources[i], from, *copies[i], kind, sources, copies);
    if (done.ok()) continue;
    on_error.add_tree(*made);
    return done.error();
  }
  return made;
}

Result<String> path_in_mount(Dentry& place) {
  char buffer[256];
  const Result<StringView> path = write_path(place, buffer);
  if (path.ok()) return String::copy(path.value());
  Vector<char> room;  // for the few that are long
  TRY(room.resize(kPathMax));
  return String::copy(TRY(write_path(place, room.span())));
}

Result<String> path_in_fs(const Mount& mount, StringView path) {
  if (mount.root_path.view() == "/"_sv) return String::copy(path.empty() ? "/"_sv : path);
  String whole = TRY(String::copy(mount.root_path.view()));
  TRY(whole.append(path));
  return whole;
}

Result<RefPtr<Dentry>> find(Mount& mount, StringView path) {
  RefPtr<Dentry> at(mount.root);
  while (!path.empty()) {
    path = path.slice(1);
    const usize end = min(path.find('/'), path.size());
    const StringView name = path.slice(0, end);
    path = path.slice(end);
    RefPtr<Dentry> next;
    {
      LockGuard guard(at->inode()->lock);
      next = TRY(DentryCache::lookup(*at, name, hash_name(name)));
    }
    if (next->inode() == nullptr) return Errno::NoEntry;
    at = uni::move(next);
  }
  return at;
}

void link(Mount& mount, Dentry& place) {
  mount.at = RefPtr<Dentry>(&place);
  place.mounted = &mount;
  place.mount()->children.push_back(mount);
  for (Dentry* d = &place; d->parent() != nullptr; d = d->parent()) {
    ++d->pins;
    if (!d->hashed()) DentryCache::insert(*d, hash_name(d->name()));
  }
}

RefPtr<Dentry> unlink(Mount& mount) {
  RefPtr<Dentry> place = uni::move(mount.at);
  place->mounted = nullptr;
  mount.sibling.unlink();
  for (Dentry* d = place.get(); d->parent() != nullptr; d = d->parent()) {
    if (--d->pins != 0 || d->parent()->caches_children() || !d->hashed()) continue;
    DentryCache::unhash(*d).leak()->unref();  // never the last: the place, or a child, holds it
  }
  return place;
}

Result<Vector<Mount*>> subtree(Mount& top) {
  Vector<Mount*> found;
  TRY(found.push(&top));
  for (usize i = 0; i < found.size(); ++i) {
    for (Mount& child : found[i]->children)
      TRY(found.push(&child));
  }
  return found;
}

void Doomed::add(Mount& mount) {
  leave_groups(mount);
  MountList::remove(mount);
  list_.push_back(mount);
  set_attached(mount, false);
  LockGuard guard(dentry_lock());
  if (mount.at) mount.left_at = unlink(mount);
  mount.left_root = uni::move(mount.root);
}

void Doomed::add_tree(Mount& mount) {
  // Down to a leaf, and from there on up.
  for (Mount* at = &mount;;) {
    if (Mount* child = at->children.front()) {
      at = child;
      continue;
    }
    Mount* const above = at->at ? at->at->mount() : nullptr;
    add(*at);
    if (at == &mount) return;
    at = above;
  }
}

Doomed::~Doomed() {
  while (Mount* mount = list_.pop_front()) {
    const RefPtr<Mount> held = RefPtr<Mount>::adopt(mount);  // the list's
    const RefPtr<Dentry> root = uni::move(mount->left_root);
    const RefPtr<Dentry> place = uni::move(mount->left_at);
    DentryCache::prune(*mount);
  }
}

}  // namespace tree
}  // namespace uni::fs
