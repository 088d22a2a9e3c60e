// SPDX-License-Identifier: Apache-2.0
// Making and taking away names: mkdir, mknod, symlink, link, unlink, rmdir. Rename is in rename.cpp. The order of
// checks is Linux's: what stands at the name, then the mount, then permissions.
#include "kernel/fs/inode_extra.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/fs/unlinked.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::fs {

namespace {
enum class Slash : u8 { kRefused, kAllowed };

// Runs make(directory, name) -> Result<RefPtr<Inode>> for the name of a new inode of that type.
template <typename Make>
Result<RefPtr<Inode>> make_name(const PathStart& start, StringView path, FileType type, Make make) {
  const Slash slash = type == FileType::kDirectory ? Slash::kAllowed : Slash::kRefused;
  Walker walker(start, 0);
  const LastName last = TRY(walker.to_parent(path));
  if (last.kind != LastName::Kind::kNormal) return Errno::Exists;
  Dentry& directory = *last.directory;
  LockGuard guard(directory.inode()->lock);
  const RefPtr<Dentry> there = TRY(DentryCache::lookup(directory, last.name, last.hash));
  if (there->inode() != nullptr) return Errno::Exists;
  if (last.slash && slash == Slash::kRefused) return Errno::NoEntry;
  if (directory.deleted()) return Errno::NoEntry;
  TRY(may_create(directory, start.who));
  TRY(landlock::check(directory, landlock::right_to_make(type)));
  RefPtr<Inode> made = TRY(make(directory, last.name));
  RefPtr<Inode> result = made;
  TRY(DentryCache::add(directory, last.name, last.hash, uni::move(made)));
  notify::name_event(*directory.inode(), last.name, result->type() == FileType::kDirectory, notify::kCreate);
  return result;
}

Result<RefPtr<Inode>> make_typed(const PathStart& start, StringView path, FileType type, u32 mode, u64 device) {
  mode &= ~start.context.umask.load(std::memory_order_relaxed);
  return make_name(start, path, type, [&](Dentry& directory, StringView name) -> Result<RefPtr<Inode>> {
    const NewOwner owner = TRY(new_owner(*directory.inode(), type, mode, start.who));
    return directory.inode()->create(name, type, owner.mode, owner.uid, owner.gid, device);
  });
}

// The directory it is in; itself where it is the root of its mount.
RefPtr<Dentry> parent_or_itself(Dentry& dentry) {
  LockGuard guard(dentry_lock());
  return RefPtr<Dentry>(dentry.parent() != nullptr ? dentry.parent() : &dentry);
}
}  // namespace

void forget_name(Dentry& dentry) {
  RefPtr<Dentry> hashed;
  {
    LockGuard guard(dentry_lock());
    hashed = DentryCache::remove(dentry);
  }
  PageCache* cache = dentry.inode()->page_cache();
  Stat stat;
  if (cache != nullptr && dentry.inode()->stat(stat).ok() && stat.links == 0) cache->set_unlinked(true);
}

Result<RefPtr<Inode>> make_node(const PathStart& start, StringView path, FileType type, u32 mode, u64 special_device) {
  return make_typed(start, path, type, mode, special_device);
}

Result<void> make_directory(const PathStart& start, StringView path, u32 mode) {
  TRY(make_typed(start, path, FileType::kDirectory, mode & 01777, 0));
  return {};
}

Result<void> make_symlink(const PathStart& start, StringView path, StringView target) {
  if (target.empty()) return Errno::NoEntry;
  const auto make = [&](Dentry& directory, StringView name) -> Result<RefPtr<Inode>> {
    const NewOwner owner = TRY(new_owner(*directory.inode(), FileType::kSymlink, 0777, start.who));
    return directory.inode()->symlink(name, target, owner.uid, owner.gid);
  };
  TRY(make_name(start, path, FileType::kSymlink, make));
  return {};
}

Result<void> link(Dentry& existing, const PathStart& start, StringView path) {
  Inode& inode = *existing.inode();
  Walker walker(start, 0);
  const LastName last = TRY(walker.to_parent(path));
  if (last.kind != LastName::Kind::kNormal) return Errno::Exists;
  Dentry& directory = *last.directory;
  LockGuard guard(directory.inode()->lock);
  const RefPtr<Dentry> there = TRY(DentryCache::lookup(directory, last.name, last.hash));
  if (there->inode() != nullptr) return Errno::Exists;
  if (last.slash || directory.deleted()) return Errno::NoEntry;
  TRY(writable_place(directory));
  if (existing.mount() != directory.mount()) return Errno::CrossDevice;
  TRY(may_link(inode, start.who));
  TRY(landlock::check_refer(*parent_or_itself(existing), existing, directory, nullptr, landlock::Refer::kLink));
  TRY(may_create(directory, start.who));
  if (inode.type() == FileType::kDirectory) return Errno::NotPermitted;
  // What has lost its last name gets no other; what was made without one (O_TMPFILE) may.
  Stat stat;
  TRY(inode.stat(stat));
  InodeExtra* extra = inode.extra();
  if (stat.links == 0 && (extra == nullptr || !extra->linkable.load())) return Errno::NoEntry;
  TRY(directory.inode()->link(last.name, inode));
  if (extra != nullptr) extra->linkable.store(false);
  if (PageCache* cache = inode.page_cache()) cache->set_unlinked(false);
  TRY(DentryCache::add(directory, last.name, last.hash, RefPtr<Inode>(&inode)));
  notify::inode_event(inode, notify::kAttributes);  // its count of links
  notify::name_event(*directory.inode(), last.name, false, notify::kCreate);
  return {};
}

Result<void> unlink(const PathStart& start, StringView path) {
  Walker walker(start, 0);
  const LastName last = TRY(walker.to_parent(path));
  if (last.kind != LastName::Kind::kNormal) return Errno::IsDirectory;
  Dentry& directory = *last.directory;
  TRY(writable_place(directory));
  // Dropped after the lock: the last reference to an inode may free its blocks.
  RefPtr<Dentry> victim;
  LockGuard guard(directory.inode()->lock);
  victim = TRY(DentryCache::lookup(directory, last.name, last.hash));
  if (victim->inode() == nullptr) return Errno::NoEntry;
  if (last.slash) return victim->is_directory() ? Errno::IsDirectory : Errno::NotDirectory;
  TRY(landlock::check(directory, landlock::kRemoveFile));
  TRY(may_delete(directory, *victim->inode(), start.who));
  if (victim->is_directory()) return Errno::IsDirectory;
  if (victim->mounted != nullptr) return Errno::Busy;
  TRY(directory.inode()->unlink(last.name, *victim->inode()));
  forget_name(*victim);
  notify::inode_event(*victim->inode(), notify::kAttributes);
  notify::name_event(*directory.inode(), last.name, false, notify::kDelete);
  return {};
}

Result<void> remove_directory(const PathStart& start, StringView path) {
  using Kind = LastName::Kind;
  Walker walker(start, 0);
  const LastName last = TRY(walker.to_parent(path));
  if (last.kind == Kind::kDotDot) return Errno::NotEmpty;
  if (last.kind == Kind::kDot) return Errno::Invalid;
  if (last.kind == Kind::kRoot) return Errno::Busy;
  Dentry& directory = *last.directory;
  TRY(writable_place(directory));
  RefPtr<Dentry> victim;
  LockGuard guard(directory.inode()->lock);
  victim = TRY(DentryCache::lookup(directory, last.name, last.hash));
  if (victim->inode() == nullptr) return Errno::NoEntry;
  TRY(landlock::check(directory, landlock::kRemoveDirectory));
  TRY(may_delete(directory, *victim->inode(), start.who));
  if (!victim->is_directory()) return Errno::NotDirectory;
  if (victim->mounted != nullptr) return Errno::Busy;
  // Parent before child: who makes a name in the victim sees it whole or deleted.
  LockGuard inner(victim->inode()->lock);
  TRY(directory.inode()->rmdir(last.name, *victim->inode()));
  forget_name(*victim);
  notify::name_event(*directory.inode(), last.name, true, notify::kDelete);
  return {};
}

}  // namespace uni::fs
