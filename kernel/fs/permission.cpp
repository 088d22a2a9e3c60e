// SPDX-License-Identifier: Apache-2.0
// Permission checks and attribute changes. Root's common case is decided without asking the inode.
#include "kernel/fs/permission.hpp"

#include "kernel/fs/notify.hpp"

#include "kernel/time/clock.hpp"

namespace uni::fs {

bool in_group(const Credentials& who, u32 gid) {
  if (who.fsgid == gid) return true;
  for (u32 group : who.groups) {
    if (group == gid) return true;
  }
  return false;
}

Result<void> check_access(Inode& inode, const Credentials& who, u32 wanted) {
  const bool directory = inode.type() == FileType::kDirectory;
  if (wanted == 0) return {};
  if ((wanted & kMayWrite) != 0 && (inode.bound() & kFileImmutable) != 0) return Errno::NotPermitted;
  if (who.capable(kCapDacOverride) && (directory || (wanted & kMayExecute) == 0)) return {};
  Stat stat;
  TRY(inode.stat(stat));
  const u32 shift = stat.uid == who.fsuid ? 6 : in_group(who, stat.gid) ? 3 : 0;
  if (((stat.mode >> shift) & wanted) == wanted) return {};
  // Execution needs an execute bit for somebody, even for root.
  if (who.capable(kCapDacOverride) && (stat.mode & 0111) != 0) return {};
  const u32 search_or_read = directory ? kMayRead | kMayExecute : kMayRead;
  if (who.capable(kCapDacReadSearch) && (wanted & ~search_or_read) == 0) return {};
  return Errno::Access;
}

Result<void> writable_place(const Dentry& dentry) {
  return dentry.mount() != nullptr && dentry.mount()->read_only() ? Result<void>(Errno::ReadOnlyFs) : Result<void>();
}

Result<void> may_create(const Dentry& directory, const Credentials& who) {
  TRY(writable_place(directory));
  return check_access(*directory.inode(), who, kMayWrite | kMayExecute);
}

Result<void> may_delete(const Dentry& directory, Inode& victim, const Credentials& who) {
  TRY(check_access(*directory.inode(), who, kMayWrite | kMayExecute));
  if ((directory.inode()->bound() & kFileAppendOnly) != 0 || victim.bound() != 0) return Errno::NotPermitted;
  if (who.capable(kCapFowner)) return {};
  Stat above;
  TRY(directory.inode()->stat(above));
  if ((above.mode & kModeSticky) == 0 || above.uid == who.fsuid) return {};
  Stat own;
  TRY(victim.stat(own));
  return own.uid == who.fsuid ? Result<void>() : Result<void>(Errno::NotPermitted);
}

Result<NewOwner> new_owner(Inode& directory, FileType type, u32 mode, const Credentials& who) {
  NewOwner owner{who.fsuid, who.fsgid, mode & 07777};
  Stat above;
  TRY(directory.stat(above));
  if ((above.mode & kModeSetGid) == 0) return owner;
  owner.gid = above.gid;
  if (type == FileType::kDirectory) {
    owner.mode |= kModeSetGid;
  } else if ((owner.mode & (kModeSetGid | kModeGroupExecute)) == (kModeSetGid | kModeGroupExecute) &&
             !in_group(who, owner.gid) && !who.capable(kCapFsetid)) {
    owner.mode &= ~kModeSetGid;
  }
  return owner;
}

Result<void> may_link(Inode& inode, const Credentials& who) {
  if (inode.bound() != 0) return Errno::NotPermitted;
  if (who.capable(kCapFowner)) return {};
  Stat stat;
  TRY(inode.stat(stat));
  if (stat.uid == who.fsuid) return {};
  constexpr u32 kSetGidProgram = kModeSetGid | kModeGroupExecute;
  const bool safe = inode.type() == FileType::kRegular && (stat.mode & kModeSetUid) == 0 &&
                    (stat.mode & kSetGidProgram) != kSetGidProgram &&
                    check_access(inode, who, kMayRead | kMayWrite).ok();
  return safe ? Result<void>() : Result<void>(Errno::NotPermitted);
}

Result<void> may_follow(Inode& directory, Inode& link, const Credentials& who) {
  constexpr u32 kOpenToAll = kModeSticky | 02;
  Stat own, above;
  TRY(link.stat(own));
  if (own.uid == who.fsuid) return {};
  TRY(directory.stat(above));
  if ((above.mode & kOpenToAll) != kOpenToAll || above.uid == own.uid) return {};
  return Errno::Access;
}

namespace {
// The permission bits that a changed file keeps.
u32 without_set_ids(u32 mode) {
  u32 kept = mode & 07777 & ~kModeSetUid;
  if ((kept & kModeGroupExecute) != 0) kept &= ~kModeSetGid;
  return kept;
}
}  // namespace

Result<void> drop_set_ids(Inode& inode) {
  if (Thread::current().is_kernel() || Process::current().credentials.capable(kCapFsetid)) return {};
  Stat stat;
  TRY(inode.stat(stat));
  SetAttr change;
  change.which = SetAttr::kMode;
  change.mode = without_set_ids(stat.mode);
  return change.mode == (stat.mode & 07777) ? Result<void>() : inode.set_attributes(change);
}

namespace {
Result<void> may_chown(const Stat& now, const SetAttr& change, const Credentials& who) {
  if (who.capable(kCapChown)) return {};
  const bool owner = now.uid == who.fsuid;
  if ((change.which & SetAttr::kUid) != 0 && (!owner || change.uid != now.uid)) return Errno::NotPermitted;
  if ((change.which & SetAttr::kGid) != 0 && (!owner || (change.gid != now.gid && !in_group(who, change.gid))))
    return Errno::NotPermitted;
  return {};
}

Result<void> may_set_times(Inode& inode, const Stat& now, const Credentials& who, TimesNow times_now) {
  if (now.uid == who.fsuid || who.capable(kCapFowner)) return {};
  if (times_now == TimesNow::kNo) return Errno::NotPermitted;
  return check_access(inode, who, kMayWrite);
}
}  // namespace

Result<void> change_attributes(Dentry& dentry, const Credentials& who, SetAttr change, TimesNow times_now) {
  TRY(writable_place(dentry));
  Inode& inode = *dentry.inode();
  LockGuard guard(inode.lock);
  Stat now;
  TRY(inode.stat(now));
  constexpr u32 kTimes = SetAttr::kAccessed | SetAttr::kModified;
  // The time of now may be set where the file may be appended to.
  const u32 binding = (change.which & ~kTimes) == 0 && times_now == TimesNow::kYes ? u32{kFileImmutable} : ~u32{0};
  if ((inode.bound() & binding) != 0) return Errno::NotPermitted;
  if ((change.which & SetAttr::kMode) != 0) {
    if (now.uid != who.fsuid && !who.capable(kCapFowner)) return Errno::NotPermitted;
    if (!in_group(who, now.gid) && !who.capable(kCapFsetid)) change.mode &= ~kModeSetGid;
  }
  if ((change.which & (SetAttr::kUid | SetAttr::kGid)) != 0) {
    TRY(may_chown(now, change, who));
    // A new owner does not inherit set-ID bits (chown(2)).
    const u32 kept = without_set_ids(now.mode);
    if (inode.type() != FileType::kDirectory && kept != (now.mode & 07777)) {
      change.which |= SetAttr::kMode;
      change.mode = kept;
    }
  }
  if ((change.which & kTimes) != 0) {
    TRY(may_set_times(inode, now, who, times_now));
    if (times_now == TimesNow::kYes) {
      const u64 ns = time::realtime_ns();
      change.accessed = change.modified = {static_cast<i64>(ns / time::kSecond), static_cast<u32>(ns % time::kSecond)};
    }
  }
  TRY(inode.set_attributes(change));
  constexpr u32 kOthers = SetAttr::kMode | SetAttr::kUid | SetAttr::kGid;
  if ((change.which & kOthers) != 0 || (change.which & kTimes) == kTimes)
    notify::on_place(dentry, notify::kAttributes);
  else if ((change.which & kTimes) != 0)
    notify::on_place(dentry, change.which == SetAttr::kAccessed ? notify::kAccess : notify::kModify);
  return {};
}

}  // namespace uni::fs
