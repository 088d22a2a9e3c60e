// SPDX-License-Identifier: Apache-2.0
// mount(2) and umount2(2) on the one tree of mounts that there is (kernel/fs/mount.hpp). The types are in
// fs_mount_types.cpp.
#include "kernel/fs/mount.hpp"

#include "kernel/security/landlock.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/fs_mount_types.hpp"

namespace uni::shim {

namespace {
enum MountCall : u64 {
  kRemount = 32,
  kBind = 4096,
  kMove = 8192,
  kRecursive = 16384,
  kSilent = 32768,
  kUnbindable = 1 << 17,
  kPrivate = 1 << 18,
  kSlave = 1 << 19,
  kShared = 1 << 20,
  kRelatime = 1 << 21,
  kStrictAtime = 1 << 24,
  kNoUser = u64{1} << 31,
  kMagicMask = 0xffff0000,
  kMagic = 0xc0ed0000,
};
constexpr u64 kTypes = kUnbindable | kPrivate | kSlave | kShared;
constexpr u32 kCapSysAdmin = 21;
constexpr u32 kAllFlags = fs::kMountReadOnly | fs::kMountNoSuid | fs::kMountNoDev | fs::kMountNoExec |
                          fs::kMountNoSymfollow | fs::kMountAtimeFlags;

// A string of the program's; null is none. Errors: Fault, Invalid (too long), NoMemory.
class Text {
 public:
  Result<void> read(UserText from) {
    if (!from) return {};
    given_ = true;
    const Result<void> done = text_.read(abi::kAtCwd, from);
    return !done.ok() && done.error() == Errno::NameTooLong ? Result<void>(Errno::Invalid) : done;
  }
  bool given() const { return given_; }
  StringView view() const { return given_ ? text_.text() : StringView(); }

 private:
  PathArgument text_;
  bool given_ = false;
};

// The flags of one mount. Access times are those of the mount there is, where a remount says nothing of them.
u32 mount_flags(u64 flags, const fs::Dentry& place) {
  u32 kept = static_cast<u32>(flags) & kAllFlags;
  if ((flags & kStrictAtime) != 0) kept &= ~u32{fs::kMountNoAtime};
  constexpr u64 kAtime = fs::kMountNoAtime | fs::kMountNoDirectoryAtime | kRelatime | kStrictAtime;
  if ((flags & kRemount) != 0 && (flags & kAtime) == 0 && place.mount() != nullptr)
    kept |= place.mount()->flags.load() & fs::kMountAtimeFlags;
  return kept;
}

Result<RefPtr<fs::Dentry>> find_source(UserText source) {
  if (!source) return Errno::Invalid;
  PathArgument from;
  TRY(from.read(abi::kAtCwd, source));
  if (from.text().empty()) return Errno::Invalid;
  return find_path(from, 0, fs::kFollow);
}

bool is_mounted(const fs::Dentry& place) {
  return place.mount() != nullptr && place.mount()->root.get() == &place && place.mount()->attached;
}

Result<void> remount(fs::Dentry& place, u32 kept, u64 flags, StringView options) {
  if (!is_mounted(place)) return Errno::Invalid;
  const fs::FlagChange change{kept, kAllFlags};
  if ((flags & kBind) == 0) {
    fs::FileSystem& system = place.mount()->file_system();
    NewFs wanted;
    wanted.type = system.type_name();
    wanted.super_flags = static_cast<u32>(flags) & kSuperFlags;
    TRY(set_options(wanted, options));
    TRY(reconfigure(system, wanted));
  }
  return fs::change_mount_flags(place, change, fs::Recursive::kNo);
}

Result<void> change_type(fs::Dentry& place, u64 flags) {
  const u64 type = flags & ~u64{kRecursive | kSilent};
  if ((type & ~kTypes) != 0 || (type & (type - 1)) != 0 || !is_mounted(place)) return Errno::Invalid;
  const fs::Propagation how = type == kShared    ? fs::Propagation::kShared
                              : type == kPrivate ? fs::Propagation::kPrivate
                              : type == kSlave   ? fs::Propagation::kSlave
                                                 : fs::Propagation::kUnbindable;
  return fs::set_propagation(place, how, (flags & kRecursive) != 0 ? fs::Recursive::kYes : fs::Recursive::kNo);
}

Result<void> move(UserText source, fs::Dentry& place) {
  const RefPtr<fs::Dentry> from = TRY(find_source(source));
  if (!is_mounted(*from)) return Errno::Invalid;
  return fs::move_mount(*from, place);
}

Result<void> bind(UserText source, fs::Dentry& place, u64 flags) {
  const RefPtr<fs::Dentry> from = TRY(find_source(source));
  return fs::bind_mount(*from, place, (flags & kRecursive) != 0 ? fs::Recursive::kYes : fs::Recursive::kNo);
}

Result<void> mount_new(fs::Dentry& place, const Text& type, StringView source, u32 kept, u64 flags,
                       StringView options) {
  if (!type.given()) return Errno::Invalid;
  NewFs wanted;
  wanted.type = TRY(known_type(type.view()));
  wanted.super_flags = static_cast<u32>(flags) & kSuperFlags;
  TRY(set_options(wanted, options));
  RefPtr<fs::FileSystem> made = TRY(create(wanted));
  return fs::mount_on(place, uni::move(made), source.empty() ? "none"_sv : source, kept);
}
}  // namespace

Result<i64> sys_mount(UserText source, UserText target, UserText type, u64 flags, UserText data) {
  Text type_name, source_name, options;
  TRY(type_name.read(type));
  TRY(source_name.read(source));
  TRY(options.read(data));
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, target));
  const RefPtr<fs::Dentry> place = TRY(find_path(argument, 0, fs::kFollow));
  if ((flags & kMagicMask) == kMagic) flags &= ~u64{kMagicMask};
  if ((flags & kNoUser) != 0) return Errno::Invalid;
  TRY(landlock::check_mount());
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  const u32 kept = mount_flags(flags, *place);
  if ((flags & kRemount) != 0)
    TRY(remount(*place, kept, flags, options.view()));
  else if ((flags & kBind) != 0)
    TRY(bind(source, *place, flags));
  else if ((flags & kTypes) != 0)
    TRY(change_type(*place, flags));
  else if ((flags & kMove) != 0)
    TRY(move(source, *place));
  else
    TRY(mount_new(*place, type_name, source_name.view(), kept, flags, options.view()));
  return 0;
}

// pivot_root(2): the root mount is the image itself and stays.
Result<i64> sys_pivot_root(UserText new_root, UserText put_old) {
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  for (const UserText path : {new_root, put_old}) {
    PathArgument argument;
    TRY(argument.read(abi::kAtCwd, path));
    const RefPtr<fs::Dentry> found = TRY(find_path(argument, 0, fs::kFollow | fs::kMustBeDirectory));
  }
  TRY(landlock::check_mount());
  return Errno::Invalid;
}

// umount2(2). MNT_FORCE ends no request early: there is no file system that could hang.
Result<i64> sys_umount2(UserText target, u32 flags) {
  constexpr u32 kForce = 1, kDetach = 2, kExpire = 4, kNoFollow = 8;
  if ((flags & ~(kForce | kDetach | kExpire | kNoFollow)) != 0) return Errno::Invalid;
  RefPtr<fs::Dentry> root;
  {
    PathArgument argument;
    TRY(argument.read(abi::kAtCwd, target));
    const u32 follow = (flags & kNoFollow) != 0 ? 0u : u32{fs::kFollow};
    root = TRY(find_path(argument, 0, follow | fs::kKeepExpiry));
  }
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  if (!is_mounted(*root)) return Errno::Invalid;
  TRY(landlock::check_mount());
  if ((flags & kExpire) != 0 && (flags & (kForce | kDetach)) != 0) return Errno::Invalid;
  TRY(fs::unmount(*root, (flags & kDetach) != 0   ? fs::Unmount::kLazy
                         : (flags & kExpire) != 0 ? fs::Unmount::kExpire
                                                  : fs::Unmount::kNormal));
  return 0;
}

}  // namespace uni::shim
