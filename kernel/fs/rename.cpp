// SPDX-License-Identifier: Apache-2.0
// rename(2). Locks: between two directories, first the one global lock that keeps the shape of the tree, then the
// ancestor before the descendant (unrelated ones in address order), then a directory that is replaced.
#include "kernel/fs/dnotify.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/fs/unlinked.hpp"
#include "kernel/security/landlock.hpp"

#include "kernel/base/late.hpp"
namespace uni::fs {

namespace {
Mutex& shape_lock() {
  static constinit Late<Mutex> made;
  LockGuard guard(dentry_lock());
  return made.get();
}

bool is_ancestor(const Dentry& above, const Dentry& below) {
  LockGuard guard(dentry_lock());
  for (const Dentry* d = &below; d != nullptr; d = d->parent()) {
    if (d == &above) return true;
  }
  return false;
}

// The locks of both directories.
class BothLocked {
 public:
  BothLocked(Dentry& a, Dentry& b) : shape_(a.inode() != b.inode() ? &shape_lock() : nullptr) {
    first_ = a.inode();
    if (shape_ == nullptr) {
      first_->lock.lock();
      return;
    }
    shape_->lock();
    second_ = b.inode();
    const bool related = is_ancestor(a, b) || is_ancestor(b, a);
    if (related ? is_ancestor(b, a) : second_ < first_) uni::swap(first_, second_);
    first_->lock.lock();
    second_->lock.lock();
  }
  ~BothLocked() {
    if (second_ != nullptr) second_->lock.unlock();
    first_->lock.unlock();
    if (shape_ != nullptr) shape_->unlock();
  }
  BothLocked(const BothLocked&) = delete;
  BothLocked& operator=(const BothLocked&) = delete;

 private:
  Mutex* shape_;
  Inode* first_ = nullptr;
  Inode* second_ = nullptr;
};

class MaybeLocked {
 public:
  explicit MaybeLocked(Inode* inode) : inode_(inode) {
    if (inode_ != nullptr) inode_->lock.lock();
  }
  ~MaybeLocked() {
    if (inode_ != nullptr) inode_->lock.unlock();
  }
  MaybeLocked(const MaybeLocked&) = delete;
  MaybeLocked& operator=(const MaybeLocked&) = delete;

 private:
  Inode* inode_;
};

struct Side {
  LastName last;
  RefPtr<Dentry> dentry;
};

// Linux's vfs_rename: whether either name may go and come.
Result<void> may_rename(const Side& from, const Side& to, const Credentials& who, bool exchange) {
  Dentry& source = *from.dentry;
  Dentry& target = *to.dentry;
  TRY(may_delete(*from.last.directory, *source.inode(), who));
  if (target.inode() == nullptr) {
    TRY(may_create(*to.last.directory, who));
  } else {
    TRY(may_delete(*to.last.directory, *target.inode(), who));
    if (!exchange && source.is_directory() && !target.is_directory()) return Errno::NotDirectory;
    if (!exchange && !source.is_directory() && target.is_directory()) return Errno::IsDirectory;
  }
  // The moved directory's ".." changes.
  if (from.last.directory.get() != to.last.directory.get()) {
    if (source.is_directory()) TRY(check_access(*source.inode(), who, kMayWrite));
    if (exchange && target.is_directory()) TRY(check_access(*target.inode(), who, kMayWrite));
  }
  if (source.mounted != nullptr || target.mounted != nullptr) return Errno::Busy;
  return {};
}

// fsnotify's order: both directories, the file that lost its name, the one that moved.
void tell_moved(const Side& from, const Side& to, Inode& moved, Inode* replaced) {
  const u32 cookie = notify::next_cookie();
  const bool directory = moved.type() == FileType::kDirectory;
  Inode& old_parent = *from.last.directory->inode();
  if (&old_parent == to.last.directory->inode() && dnotify::active())
    dnotify::renamed_within(old_parent.file_system(), old_parent.number());
  notify::name_event(*from.last.directory->inode(), from.last.name, directory, notify::kMovedFrom, cookie);
  notify::name_event(*to.last.directory->inode(), to.last.name, directory, notify::kMovedTo, cookie);
  if (replaced != nullptr && replaced->type() != FileType::kDirectory)
    notify::inode_event(*replaced, notify::kAttributes);
  notify::inode_event(moved, notify::kMoveSelf);
}

Result<void> move_names(Side& from, Side& to, bool exchange) {
  char* room = TRY(DentryCache::name_room(to.last.name));
  char* other_room = nullptr;
  if (exchange) {
    Result<char*> more = DentryCache::name_room(from.last.name);
    if (!more.ok()) {
      delete[] room;
      return more.error();
    }
    other_room = more.value();
  }
  const Result<void> done = from.last.directory->inode()->rename(
      from.last.name, *from.dentry->inode(), *to.last.directory->inode(), to.last.name, to.dentry->inode(), exchange);
  if (!done.ok()) {
    delete[] room;
    delete[] other_room;
    return done.error();
  }
  if (!exchange && to.dentry->inode() != nullptr) forget_name(*to.dentry);
  DentryCache::Moved moved, other;
  RefPtr<Dentry> negative;
  LockGuard guard(dentry_lock());
  if (to.dentry->inode() == nullptr) negative = DentryCache::unhash(*to.dentry);
  DentryCache::move(*from.dentry, *to.last.directory, to.last.name, room, moved);
  if (exchange) DentryCache::move(*to.dentry, *from.last.directory, from.last.name, other_room, other);
  return {};
}
}  // namespace

Result<void> rename(const PathStart& from_start, StringView old_path, const PathStart& to_start, StringView new_path,
                    u32 flags) {
  using Kind = LastName::Kind;
  const bool exchange = (flags & kRenameExchange) != 0;
  const bool no_replace = (flags & kRenameNoReplace) != 0;
  if ((flags & ~(kRenameNoReplace | kRenameExchange)) != 0 || (exchange && no_replace)) return Errno::Invalid;
  Walker from_walker(from_start, 0);
  Walker to_walker(to_start, 0);
  Side from {
    TRY(from_walker.to_parent(old_path))
    , {}
  };
  Side to {
    TRY(to_walker.to_parent(new_path))
    , {}
  };
  Dentry& old_directory = *from.last.directory;
  Dentry& new_directory = *to.last.directory;
  if (old_directory.mount() != new_directory.mount()) return Errno::CrossDevice;
  if (from.last.kind != Kind::kNormal) return Errno::Busy;
  if (to.last.kind != Kind::kNormal) return no_replace ? Errno::Exists : Errno::Busy;
  TRY(writable_place(old_directory));

  BothLocked locked(old_directory, new_directory);
  from.dentry = TRY(DentryCache::lookup(old_directory, from.last.name, from.last.hash));
  if (from.dentry->inode() == nullptr) return Errno::NoEntry;
  to.dentry = TRY(DentryCache::lookup(new_directory, to.last.name, to.last.hash));
  Inode* const target = to.dentry->inode();
  if (no_replace && target != nullptr) return Errno::Exists;
  if (exchange && target == nullptr) return Errno::NoEntry;
  if (exchange && to.last.slash && !to.dentry->is_directory()) return Errno::NotDirectory;
  if (!from.dentry->is_directory() && (from.last.slash || (!exchange && to.last.slash))) return Errno::NotDirectory;
  if (is_ancestor(*from.dentry, new_directory)) return Errno::Invalid;
  if (target != nullptr && is_ancestor(*to.dentry, old_directory)) return exchange ? Errno::Invalid : Errno::NotEmpty;
  if (new_directory.deleted()) return Errno::NoEntry;
  TRY(landlock::check_refer(old_directory, *from.dentry, new_directory, to.dentry.get(),
                            exchange ? landlock::Refer::kExchange : landlock::Refer::kRename));
  // Two names of one file: nothing is done (rename(2)).
  if (from.dentry->inode() == target) return {};
  TRY(may_rename(from, to, from_start.who, exchange));
  const MaybeLocked replaced(!exchange && to.dentry->is_directory() ? target : nullptr);
  TRY(move_names(from, to, exchange));
  if (notify::active()) [[unlikely]] {
    tell_moved(from, to, *from.dentry->inode(), exchange ? nullptr : target);
    if (exchange) tell_moved(to, from, *target, nullptr);
  }
  return {};
}

}  // namespace uni::fs
