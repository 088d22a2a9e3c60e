// SPDX-License-Identifier: Apache-2.0
// stat(2), statx(2), statfs(2), access(2).
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
// dev_t as programs see it: minor bits 0-7, major 8-19, minor above.
constexpr u32 major_of(u64 device) {
  return static_cast<u32>((device >> 8) & 0xfff);
}
constexpr u32 minor_of(u64 device) {
  return static_cast<u32>((device & 0xff) | ((device >> 12) & 0xfff00));
}

abi::Timespec time_of(const fs::Timespec& t) {
  return {t.seconds, t.nanoseconds};
}
abi::StatxTimestamp statx_time(const fs::Timespec& t) {
  return {t.seconds, t.nanoseconds, 0};
}

Result<i64> write_stat(const fs::Stat& from, UserPtr<abi::Stat> out) {
  abi::Stat to{};
  to.st_dev = from.device;
  to.st_ino = from.inode;
  to.st_nlink = from.links;
  to.st_mode = from.mode;
  to.st_uid = from.uid;
  to.st_gid = from.gid;
  to.st_rdev = from.special_device;
  to.st_size = static_cast<i64>(from.size);
  to.st_blksize = from.block_size;
  to.st_blocks = static_cast<i64>(from.blocks_512);
  to.st_atim = time_of(from.accessed);
  to.st_mtim = time_of(from.modified);
  to.st_ctim = time_of(from.changed);
  TRY(out.write(to));
  return 0;
}

Result<i64> stat_path(i32 directory, UserText path, UserPtr<abi::Stat> out, u32 flags) {
  PathArgument argument;
  TRY(argument.read(directory, path));
  fs::Stat stat;
  if ((flags & abi::kAtEmptyPath) != 0 && argument.text().empty() && argument.file() != nullptr) {
    TRY(argument.file()->stat(stat));
  } else {
    const u32 follow = (flags & abi::kAtSymlinkNoFollow) != 0 ? 0u : u32{fs::kFollow};
    const RefPtr<fs::Dentry> found = TRY(find_path(argument, flags, follow));
    TRY(found->inode()->stat(stat));
  }
  return write_stat(stat, out);
}

// ST_* (statfs(2)).
u32 statfs_flags(const fs::FileSystem& system, const fs::Mount* mount) {
  constexpr u32 kReadOnly = 1, kSynchronous = 0x10, kValid = 0x20, kMandatoryLocks = 0x40;
  constexpr u32 kNoAtime = 0x400, kNoDirectoryAtime = 0x800, kRelatime = 0x1000, kNoSymfollow = 0x2000;
  u32 flags = kValid | (system.super_flags.load() & (kSynchronous | kMandatoryLocks));
  if (mount == nullptr) return flags | kRelatime;
  flags |= mount->flags.load() & (fs::kMountNoSuid | fs::kMountNoDev | fs::kMountNoExec);
  if (mount->read_only()) flags |= kReadOnly;
  if (mount->has(fs::kMountNoAtime)) flags |= kNoAtime;
  if (mount->has(fs::kMountNoDirectoryAtime)) flags |= kNoDirectoryAtime;
  if (!mount->has(fs::kMountNoAtime | fs::kMountStrictAtime)) flags |= kRelatime;
  if (mount->has(fs::kMountNoSymfollow)) flags |= kNoSymfollow;
  return flags;
}

Result<i64> write_statfs(fs::FileSystem& system, const fs::Mount* mount, UserPtr<abi::Statfs> out) {
  const fs::FsStat from = TRY(system.stat());
  abi::Statfs to{};
  to.f_type = static_cast<i64>(from.type);
  to.f_bsize = to.f_frsize = static_cast<i64>(from.block_size);
  to.f_blocks = from.blocks;
  to.f_bfree = from.blocks_free;
  to.f_bavail = from.blocks_available;
  to.f_files = from.inodes;
  to.f_ffree = from.inodes_free;
  to.f_fsid[0] = static_cast<i32>(from.id);
  to.f_fsid[1] = static_cast<i32>(from.id >> 32);
  to.f_namelen = from.name_max;
  to.f_flags = statfs_flags(system, mount);
  TRY(out.write(to));
  return 0;
}

// access(2) asks for the real IDs; a root whose real user is another loses its capabilities for the question.
Result<i64> check_path_access(i32 directory, UserText path, u32 mode, u32 flags) {
  if ((mode & ~7u) != 0) return Errno::Invalid;
  if ((flags & ~(abi::kAtEffectiveAccess | abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  const Credentials& own = Process::current().credentials;
  Credentials real;
  const Credentials* who = &own;
  const bool differs = own.uid != own.fsuid || own.gid != own.fsgid;
  if ((flags & abi::kAtEffectiveAccess) == 0 && differs) {
    real.uid = real.euid = real.fsuid = own.uid;
    real.gid = real.egid = real.fsgid = own.gid;
    real.cap_effective = own.uid == 0 ? own.cap_permitted : 0;
    TRY(real.groups.reserve(own.groups.size()));
    for (u32 group : own.groups)
      TRY(real.groups.push(group));
    who = &real;
  }
  PathArgument argument;
  TRY(argument.read(directory, path));
  const u32 follow = (flags & abi::kAtSymlinkNoFollow) != 0 ? 0u : u32{fs::kFollow};
  RefPtr<fs::Dentry> found;
  if (argument.text().empty()) {
    found = TRY(find_path(argument, flags, follow));
  } else {
    Result<RefPtr<fs::Dentry>> named = fs::lookup(argument.start(*who), argument.text(), follow);
    if (!named.ok() && named.error() == Errno::NoEntry) note_lacked(argument, fs::Asked::kLookedAt);
    found = TRY(uni::move(named));
  }
  const fs::Mount* mount = found->mount();
  const fs::FileType type = found->inode()->type();
  constexpr u32 kExecute = 1, kWrite = 2;
  const bool noexec = mount != nullptr && mount->has(fs::kMountNoExec);
  if ((mode & kExecute) != 0 && type == fs::FileType::kRegular && noexec) return Errno::Access;
  TRY(fs::check_access(*found->inode(), *who, mode));
  const bool stored = type == fs::FileType::kRegular || type == fs::FileType::kDirectory;
  if ((mode & kWrite) != 0 && stored && mount != nullptr && mount->read_only()) return Errno::ReadOnlyFs;
  return 0;
}
}  // namespace

Result<i64> sys_stat(UserText path, UserPtr<abi::Stat> out) {
  return stat_path(abi::kAtCwd, path, out, 0);
}

Result<i64> sys_lstat(UserText path, UserPtr<abi::Stat> out) {
  return stat_path(abi::kAtCwd, path, out, abi::kAtSymlinkNoFollow);
}

Result<i64> sys_fstat(i32 fd, UserPtr<abi::Stat> out) {
  const RefPtr<fs::File> file = TRY(file_of(fd, true));
  fs::Stat stat;
  TRY(file->stat(stat));
  return write_stat(stat, out);
}

Result<i64> sys_newfstatat(i32 directory, UserText path, UserPtr<abi::Stat> out, u32 flags) {
  if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtNoAutomount | abi::kAtEmptyPath | abi::kAtStatxSync)) != 0)
    return Errno::Invalid;
  return stat_path(directory, path, out, flags);
}

Result<i64> sys_statx(i32 directory, UserText path, u32 flags, u32 mask, UserPtr<abi::Statx> out) {
  constexpr u32 kKnown = abi::kAtSymlinkNoFollow | abi::kAtNoAutomount | abi::kAtEmptyPath | abi::kAtStatxSync;
  if ((mask & abi::kStatxReserved) != 0 || (flags & ~kKnown) != 0) return Errno::Invalid;
  if ((flags & abi::kAtStatxSync) == abi::kAtStatxSync) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(directory, path));
  const u32 follow = (flags & abi::kAtSymlinkNoFollow) != 0 ? 0u : u32{fs::kFollow};
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, flags, follow));
  fs::Stat from;
  TRY(found->inode()->stat(from));
  abi::Statx to{};
  to.stx_mask = abi::kStatxBasic;
  to.stx_blksize = from.block_size;
  to.stx_nlink = from.links;
  to.stx_uid = from.uid;
  to.stx_gid = from.gid;
  to.stx_mode = static_cast<u16>(from.mode);
  to.stx_ino = from.inode;
  to.stx_size = from.size;
  to.stx_blocks = from.blocks_512;
  to.stx_atime = statx_time(from.accessed);
  to.stx_mtime = statx_time(from.modified);
  to.stx_ctime = statx_time(from.changed);
  if ((mask & abi::kStatxBirth) != 0 && (from.created.seconds != 0 || from.created.nanoseconds != 0)) {
    to.stx_mask |= abi::kStatxBirth;
    to.stx_btime = statx_time(from.created);
  }
  to.stx_rdev_major = major_of(from.special_device);
  to.stx_rdev_minor = minor_of(from.special_device);
  to.stx_dev_major = major_of(from.device);
  to.stx_dev_minor = minor_of(from.device);
  to.stx_attributes_mask = abi::kStatxAttrMountRoot;
  if (found->mount() != nullptr) {
    to.stx_mask |= abi::kStatxMountId;
    to.stx_mnt_id = found->mount()->id();
    LockGuard guard(fs::dentry_lock());
    if (found->parent() == nullptr) to.stx_attributes |= abi::kStatxAttrMountRoot;
  }
  TRY(out.write(to));
  return 0;
}

Result<i64> sys_statfs(UserText path, UserPtr<abi::Statfs> out) {
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, path));
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, 0, fs::kFollow));
  return write_statfs(found->inode()->file_system(), found->mount(), out);
}

Result<i64> sys_fstatfs(i32 fd, UserPtr<abi::Statfs> out) {
  const RefPtr<fs::File> file = TRY(file_of(fd, true));
  const RefPtr<fs::Dentry> dentry = TRY(fs::dentry_for(*file));
  return write_statfs(dentry->inode()->file_system(), dentry->mount(), out);
}

Result<i64> sys_access(UserText path, u32 mode) {
  return check_path_access(abi::kAtCwd, path, mode, 0);
}

Result<i64> sys_faccessat(i32 directory, UserText path, u32 mode) {
  return check_path_access(directory, path, mode, 0);
}

Result<i64> sys_faccessat2(i32 directory, UserText path, u32 mode, u32 flags) {
  return check_path_access(directory, path, mode, flags);
}

}  // namespace uni::shim
