// SPDX-License-Identifier: Apache-2.0
// open(2): finding or making the file, the checks, and the File over it.
#include "kernel/dev/random.hpp"
#include "kernel/fs/inode_extra.hpp"
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/lease.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/fs/pipe.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::fs {

namespace {
constinit DeviceOpener g_device_opener = nullptr;

constexpr u32 kTransientFlags = kOpenCreate | kOpenExclusive | kOpenNoCtty | kOpenTruncate | kOpenCloseOnExec;

enum class Fresh : u8 { kNo, kYes };

u32 wanted_access(u32 flags) {
  constexpr u32 kByMode[] = {kMayRead, kMayWrite, kMayRead | kMayWrite, kMayRead | kMayWrite};
  return kByMode[flags & kOpenAccessMask] | ((flags & kOpenTruncate) != 0 ? kMayWrite : 0);
}

// The checks of Linux's may_open, in its order.
Result<void> may_open(Dentry& dentry, const Credentials& who, u32 flags) {
  Inode& inode = *dentry.inode();
  const u32 wanted = wanted_access(flags);
  switch (inode.type()) {
    case FileType::kSymlink:
      return Errno::Loop;
    case FileType::kDirectory:
      if ((wanted & kMayWrite) != 0) return Errno::IsDirectory;
      break;
    case FileType::kCharacter:
    case FileType::kBlock:
      if (dentry.mount() != nullptr && dentry.mount()->has(kMountNoDev)) return Errno::Access;
      break;
    case FileType::kRegular:
      if ((wanted & kMayWrite) != 0) TRY(writable_place(dentry));
      break;
    case FileType::kFifo:
    case FileType::kSocket:
      break;
  }
  TRY(check_access(inode, who, wanted));
  if ((inode.bound() & kFileAppendOnly) != 0) {
    if ((flags & kOpenAccessMask) != kOpenReadOnly && (flags & kOpenAppend) == 0) return Errno::NotPermitted;
    if ((flags & kOpenTruncate) != 0) return Errno::NotPermitted;
  }
  if ((flags & kOpenNoAtime) != 0 && !who.capable(kCapFowner)) {
    Stat stat;
    TRY(inode.stat(stat));
    if (stat.uid != who.fsuid) return Errno::NotPermitted;
  }
  return {};
}

Result<RefPtr<File>> make_file(Dentry& dentry, u32 flags) {
  Inode& inode = *dentry.inode();
  RefPtr<File> file;
  if (inode.type() == FileType::kFifo && (flags & kOpenPath) == 0) {
    // What /proc/self/fd leads to is open already; a fifo with a name waits for its other end.
    file = TRY(inode.open(flags));
    if (!file) return open_fifo(dentry, flags);
    return file;
  }
  if ((flags & kOpenPath) == 0 && inode.type() != FileType::kRegular) {
    file = TRY(inode.open(flags));
    const bool device = inode.type() == FileType::kCharacter || inode.type() == FileType::kBlock;
    if (!file && device) {
      Stat stat;
      TRY(inode.stat(stat));
      if (g_device_opener == nullptr) return Errno::NoDeviceOrAddress;
      file = TRY(g_device_opener(inode.type(), stat.special_device, flags));
    }
    if (!file && inode.type() == FileType::kSocket) return Errno::NoDeviceOrAddress;
  } else if ((flags & kOpenPath) == 0 && inode.page_cache() == nullptr) {
    file = TRY(inode.open(flags));
  }
  if (!file) return InodeFile::create(dentry, flags);
  // A nameless dentry holds the File itself: the other way round would be a cycle.
  if (file->dentry() == nullptr && dentry.mount() != nullptr) file->set_dentry(dentry);
  return file;
}

Result<RefPtr<File>> open_checked(Dentry& dentry, const Credentials& who, u32 flags, Fresh fresh) {
  if ((flags & kOpenPath) != 0)
    return make_file(dentry, flags & (kOpenPath | kOpenDirectory | kOpenNoFollow | kOpenCloseOnExec));
  if (fresh == Fresh::kNo) TRY(may_open(dentry, who, flags));
  const u16 denied = TRY(landlock::check_open(dentry, flags));
  // Whether a terminal becomes the controlling one is its own open's business.
  RefPtr<File> file = TRY(make_file(dentry, flags & ~(kTransientFlags & ~u32{kOpenNoCtty})));
  if ((flags & kOpenNoCtty) != 0) file->set_flags(file->flags() & ~u32{kOpenNoCtty});
  file->created = fresh == Fresh::kYes;
  if (denied != 0) file->landlock_denied = denied;
  if (dentry.inode()->type() == FileType::kRegular) {
    const bool writes = (flags & kOpenAccessMask) != kOpenReadOnly;
    TRY(leases::break_for(*dentry.inode(), writes ? leases::Access::kWrite : leases::Access::kRead,
                          (flags & kOpenNonBlock) != 0 ? leases::Wait::kNo : leases::Wait::kYes));
  }
  notify::on_file(*file, notify::kOpen);
  if ((flags & kOpenTruncate) != 0 && fresh == Fresh::kNo && dentry.inode()->type() == FileType::kRegular) {
    if ((denied & landlock::kTruncate) != 0) return Errno::Access;
    TRY(file->truncate(0));
  }
  return file;
}

// Makes `name` in the directory, whose lock is held.
Result<RefPtr<Dentry>> create_file(const PathStart& start, Dentry& directory, StringView name, u32 hash, u32 mode) {
  TRY(may_create(directory, start.who));
  mode &= ~start.context.umask.load(std::memory_order_relaxed);
  const NewOwner owner = TRY(new_owner(*directory.inode(), FileType::kRegular, mode, start.who));
  RefPtr<Inode> inode = TRY(directory.inode()->create(name, FileType::kRegular, owner.mode, owner.uid, owner.gid, 0));
  return DentryCache::add(directory, name, hash, uni::move(inode));
}

Result<RefPtr<File>> open_or_create(const PathStart& start, StringView path, u32 flags, u32 mode, u32 lookup_flags) {
  const bool exclusive = (flags & kOpenExclusive) != 0;
  const bool follow = (flags & kOpenNoFollow) == 0 && !exclusive;
  Walker walker(start, lookup_flags);
  LastName last = TRY(walker.to_parent(path));
  for (;;) {
    if (last.kind != LastName::Kind::kNormal || last.slash) return Errno::IsDirectory;
    RefPtr<Dentry> found;
    {
      Dentry& directory = *last.directory;
      LockGuard guard(directory.inode()->lock);
      found = TRY(DentryCache::lookup(directory, last.name, last.hash));
      if (found->inode() == nullptr) {
        if (directory.deleted()) return Errno::NoEntry;
        TRY(landlock::check(directory, landlock::kMakeRegular));
        RefPtr<Dentry> made = TRY(create_file(start, directory, last.name, last.hash, mode));
        notify::name_event(*directory.inode(), last.name, false, notify::kCreate);
        return open_checked(*made, start.who, flags, Fresh::kYes);
      }
    }
    if (exclusive) return Errno::Exists;
    {
      LockGuard guard(dentry_lock());
      // The covered one is not let go here: its mount holds it.
      if (found->mounted != nullptr) found = RefPtr<Dentry>(topmost(found.get()));
    }
    if (!found->is_symlink()) {
      if (found->is_directory()) return Errno::IsDirectory;
      return open_checked(*found, start.who, flags, Fresh::kNo);
    }
    if (!follow) return Errno::Loop;
    last = TRY(walker.follow_last(last, *found));
    // A magic link, or one to the root: there is no name to make.
    if (last.kind == LastName::Kind::kRoot && !last.directory->is_directory())
      return open_checked(*last.directory, start.who, flags, Fresh::kNo);
  }
}

// O_TMPFILE: a file that loses its name at once. Its random name is visible for an instant.
Result<RefPtr<File>> open_temporary(const PathStart& start, StringView path, u32 flags, u32 mode) {
  if ((flags & kOpenAccessMask) == kOpenReadOnly) return Errno::Invalid;
  RefPtr<Dentry> directory = TRY(lookup(start, path, kFollow | kMustBeDirectory));
  char buffer[40];
  BufferWriter name(buffer);
  format(name, ".tmpfile.{:016x}", random::next_u64());
  LockGuard guard(directory->inode()->lock);
  if (directory->deleted()) return Errno::NoEntry;
  RefPtr<Dentry> made = TRY(create_file(start, *directory, name.view(), hash_name(name.view()), mode));
  TRY(directory->inode()->unlink(name.view(), *made->inode()));
  RefPtr<Dentry> hashed;
  {
    LockGuard locked(dentry_lock());
    hashed = DentryCache::remove(*made);
  }
  if (PageCache* cache = made->inode()->page_cache()) cache->set_unlinked(true);
  if ((flags & kOpenExclusive) == 0) {
    InodeExtra* extra = TRY(made->inode()->ensure_extra());
    extra->linkable.store(true);
  }
  return open_checked(*made, start.who, flags, Fresh::kYes);
}
}  // namespace

void set_device_opener(DeviceOpener opener) {
  g_device_opener = opener;
}

Result<RefPtr<File>> open_dentry(Dentry& dentry, const Credentials& who, u32 flags) {
  return open_checked(dentry, who, flags, Fresh::kNo);
}

Result<RefPtr<File>> open(const PathStart& start, StringView path, u32 flags, u32 mode, u32 lookup_flags) {
  if ((flags & kOpenPath) == 0) {
    if ((flags & kOpenTmpFile) == kOpenTmpFile) return open_temporary(start, path, flags, mode);
    if ((flags & kOpenCreate) != 0) return open_or_create(start, path, flags, mode, lookup_flags);
  }
  if ((flags & kOpenNoFollow) == 0) lookup_flags |= kFollow;
  if ((flags & kOpenDirectory) != 0) lookup_flags |= kMustBeDirectory;
  RefPtr<Dentry> found = TRY(lookup(start, path, lookup_flags));
  return open_checked(*found, start.who, flags, Fresh::kNo);
}

Result<RefPtr<File>> open_path(FsContext& context, const Credentials& who, StringView path, u32 flags, u32 mode) {
  return open(PathStart{context, who}, path, flags, mode);
}

}  // namespace uni::fs
