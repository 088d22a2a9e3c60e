// SPDX-License-Identifier: Apache-2.0
// chmod(2), chown(2), utimensat(2) and their families.
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr u32 kUnchanged = ~0u;  // of chown's IDs
constexpr i64 kTimeNow = 0x3fffffff, kTimeOmit = 0x3ffffffe;
constexpr i64 kNanoseconds = 1'000'000'000;

Result<i64> change(fs::Dentry& dentry, const fs::SetAttr& change, fs::TimesNow now = fs::TimesNow::kNo) {
  TRY(fs::change_attributes(dentry, Process::current().credentials, change, now));
  return 0;
}

fs::SetAttr mode_change(u32 mode) {
  fs::SetAttr wanted;
  wanted.which = fs::SetAttr::kMode;
  wanted.mode = mode & 07777;
  return wanted;
}

fs::SetAttr owner_change(u32 uid, u32 gid) {
  fs::SetAttr wanted;
  if (uid != kUnchanged) wanted.which |= fs::SetAttr::kUid;
  if (gid != kUnchanged) wanted.which |= fs::SetAttr::kGid;
  wanted.uid = uid;
  wanted.gid = gid;
  return wanted;
}

Result<RefPtr<fs::Dentry>> find(i32 directory, UserText path, u32 flags) {
  PathArgument argument;
  TRY(argument.read(directory, path));
  return find_path(argument, flags, (flags & abi::kAtSymlinkNoFollow) != 0 ? 0u : u32{fs::kFollow});
}

Result<RefPtr<fs::Dentry>> find_open(i32 fd) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  return fs::dentry_for(*file);
}

struct TimesChange {
  fs::SetAttr change;
  fs::TimesNow now = fs::TimesNow::kNo;
};

Result<void> put_time(TimesChange& into, const abi::Timespec& time, bool modified) {
  if (time.tv_nsec == kTimeOmit) return {};
  const u32 bit = modified ? fs::SetAttr::kModified : fs::SetAttr::kAccessed;
  fs::Timespec value{time.tv_sec, static_cast<u32>(time.tv_nsec)};
  if (time.tv_nsec == kTimeNow) {
    const u64 now = time::realtime_ns();
    value = {static_cast<i64>(now / kNanoseconds), static_cast<u32>(now % kNanoseconds)};
  } else if (time.tv_nsec < 0 || time.tv_nsec >= kNanoseconds) {
    return Errno::Invalid;
  }
  into.change.which |= bit;
  (modified ? into.change.modified : into.change.accessed) = value;
  return {};
}

// `times` null: now. Both now counts as null; both omitted changes nothing.
Result<TimesChange> times_change(const abi::Timespec* times) {
  constexpr u32 kBoth = fs::SetAttr::kAccessed | fs::SetAttr::kModified;
  TimesChange wanted;
  if (times == nullptr || (times[0].tv_nsec == kTimeNow && times[1].tv_nsec == kTimeNow)) {
    wanted.change.which = kBoth;
    wanted.now = fs::TimesNow::kYes;
    return wanted;
  }
  TRY(put_time(wanted, times[0], false));
  TRY(put_time(wanted, times[1], true));
  return wanted;
}

Result<i64> set_times(i32 directory, UserText path, const abi::Timespec* times, u32 flags) {
  if (times != nullptr && times[0].tv_nsec == kTimeOmit && times[1].tv_nsec == kTimeOmit) return 0;
  const TimesChange wanted = TRY(times_change(times));
  // futimens: a null path is the descriptor itself.
  RefPtr<fs::Dentry> dentry;
  if (!path) {
    if (directory == abi::kAtCwd) return Errno::Fault;
    if ((flags & ~u32{abi::kAtEmptyPath}) != 0) return Errno::Invalid;
    dentry = TRY(find_open(directory));
  } else {
    dentry = TRY(find(directory, path, flags));
  }
  return change(*dentry, wanted.change, wanted.now);
}

Result<i64> set_microseconds(i32 directory, UserText path, UserPtr<abi::Timeval> times) {
  if (!times) return set_times(directory, path, nullptr, 0);
  abi::Timeval from[2];
  TRY(copy_from_user(from, times.address(), sizeof(from)));
  abi::Timespec to[2];
  for (int i = 0; i < 2; ++i) {
    if (from[i].tv_usec < 0 || from[i].tv_usec >= 1'000'000) return Errno::Invalid;
    to[i] = {from[i].tv_sec, from[i].tv_usec * 1000};
  }
  return set_times(directory, path, to, 0);
}
}  // namespace

Result<i64> sys_fchmodat2(i32 directory, UserText path, u32 mode, u32 flags) {
  if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  const RefPtr<fs::Dentry> dentry = TRY(find(directory, path, flags));
  if (dentry->is_symlink()) return Errno::NotSupported;
  return change(*dentry, mode_change(mode));
}

Result<i64> sys_fchmodat(i32 directory, UserText path, u32 mode) {
  return sys_fchmodat2(directory, path, mode, 0);
}

Result<i64> sys_chmod(UserText path, u32 mode) {
  return sys_fchmodat2(abi::kAtCwd, path, mode, 0);
}

Result<i64> sys_fchmod(i32 fd, u32 mode) {
  const RefPtr<fs::Dentry> dentry = TRY(find_open(fd));
  return change(*dentry, mode_change(mode));
}

Result<i64> sys_fchownat(i32 directory, UserText path, u32 uid, u32 gid, u32 flags) {
  if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  const RefPtr<fs::Dentry> dentry = TRY(find(directory, path, flags));
  return change(*dentry, owner_change(uid, gid));
}

Result<i64> sys_chown(UserText path, u32 uid, u32 gid) {
  return sys_fchownat(abi::kAtCwd, path, uid, gid, 0);
}

Result<i64> sys_lchown(UserText path, u32 uid, u32 gid) {
  return sys_fchownat(abi::kAtCwd, path, uid, gid, abi::kAtSymlinkNoFollow);
}

Result<i64> sys_fchown(i32 fd, u32 uid, u32 gid) {
  const RefPtr<fs::Dentry> dentry = TRY(find_open(fd));
  return change(*dentry, owner_change(uid, gid));
}

Result<i64> sys_utime(UserText path, UserPtr<i64> times) {
  if (!times) return set_times(abi::kAtCwd, path, nullptr, 0);
  i64 seconds[2];
  TRY(copy_from_user(seconds, times.address(), sizeof(seconds)));
  const abi::Timespec to[2] = {{seconds[0], 0}, {seconds[1], 0}};
  return set_times(abi::kAtCwd, path, to, 0);
}

Result<i64> sys_utimes(UserText path, UserPtr<abi::Timeval> times) {
  return set_microseconds(abi::kAtCwd, path, times);
}

Result<i64> sys_futimesat(i32 directory, UserText path, UserPtr<abi::Timeval> times) {
  return set_microseconds(directory, path, times);
}

Result<i64> sys_utimensat(i32 directory, UserText path, UserPtr<abi::Timespec> times, u32 flags) {
  if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  if (!times) return set_times(directory, path, nullptr, flags);
  abi::Timespec from[2];
  TRY(copy_from_user(from, times.address(), sizeof(from)));
  return set_times(directory, path, from, flags);
}

}  // namespace uni::shim
