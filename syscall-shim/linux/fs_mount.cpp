// SPDX-License-Identifier: Apache-2.0
// mount(2) and umount2(2): the kernel's own file systems, bind mounts, and changing a mount's flags. Mounts
// never propagate, so making one private changes nothing; making one shared is refused.
#include "kernel/fs/devfs.hpp"
#include "kernel/fs/procfs/procfs.hpp"
#include "kernel/fs/sysfs/sysfs.hpp"
#include "kernel/ipc/mqueue.hpp"
#include "kernel/security/landlock.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
enum MountCall : u64 {
  kReadOnly = 1,
  kNoSuid = 2,
  kNoDev = 4,
  kNoExec = 8,
  kRemount = 32,
  kNoAtime = 1024,
  kBind = 4096,
  kMove = 8192,
  kUnbindable = 1 << 17,
  kPrivate = 1 << 18,
  kSlave = 1 << 19,
  kShared = 1 << 20,
  kMagicMask = 0xffff0000,
  kMagic = 0xc0ed0000,
};
constexpr u32 kCapSysAdmin = 21;
constexpr u32 kKeptFlags =
    fs::kMountReadOnly | fs::kMountNoSuid | fs::kMountNoDev | fs::kMountNoExec | fs::kMountNoAtime;

struct ShortText {
  char text[256];
  StringView view;
  Result<void> read(UserText from) {
    if (!from) return {};
    Result<usize> length = copy_string_from_user(text, from.address(), sizeof(text));
    if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
    view = {text, length.value()};
    return {};
  }
};

// A number with an optional k, m or g; `base` 8 for modes.
Result<u64> number(StringView text, u64 base) {
  u64 value = 0;
  for (usize i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool last = i + 1 == text.size();
    if (last && (c == 'k' || c == 'K')) return value << 10;
    if (last && (c == 'm' || c == 'M')) return value << 20;
    if (last && (c == 'g' || c == 'G')) return value << 30;
    if (c < '0' || static_cast<u64>(c - '0') >= base || value > (~u64{0} >> 34)) return Errno::Invalid;
    value = value * base + static_cast<u64>(c - '0');
  }
  return value;
}

// tmpfs(5): size and mode are honoured; nr_inodes, uid, gid and huge are refused.
Result<RefPtr<fs::FileSystem>> make_tmpfs(StringView options) {
  u64 size = 0;
  u64 mode = 01777;
  while (!options.empty()) {
    const usize comma = options.find(',');
    const StringView option = options.slice(0, comma);
    options = comma == StringView::kNotFound ? StringView() : options.slice(comma + 1);
    if (option.starts_with("size="))
      size = TRY(number(option.slice(5), 10));
    else if (option.starts_with("mode="))
      mode = TRY(number(option.slice(5), 8));
    else if (!option.empty())
      return Errno::Invalid;
  }
  return fs::make_tmpfs(size, static_cast<u32>(mode) & 07777);
}

// Errors: NoDevice (no such type), NotBlock (a type that needs a device).
Result<RefPtr<fs::FileSystem>> make(StringView type, StringView options) {
  if (type == "tmpfs"_sv || type == "ramfs"_sv) return make_tmpfs(options);
  if (type == "proc"_sv) return fs::procfs::create();
  if (type == "sysfs"_sv) return fs::sysfs::create();
  if (type == "devtmpfs"_sv) return fs::devfs::create();
  if (type == "mqueue"_sv) return ipc::mqueue_fs();
  for (const StringView stored : {"ext2"_sv, "ext3"_sv, "ext4"_sv}) {
    if (type == stored) return Errno::NotBlock;
  }
  return Errno::NoDevice;
}

Result<RefPtr<fs::Dentry>> find_source(UserText source) {
  if (!source) return Errno::Invalid;
  PathArgument from;
  TRY(from.read(abi::kAtCwd, source));
  return find_path(from, 0, fs::kFollow);
}
}  // namespace

Result<i64> sys_mount(UserText source, UserText target, UserText type, u64 flags, UserText data) {
  ShortText type_name, source_name, options;
  TRY(type_name.read(type));
  TRY(source_name.read(source));
  TRY(options.read(data));
  if ((flags & kMagicMask) == kMagic) flags &= ~u64{kMagicMask};
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, target));
  const RefPtr<fs::Dentry> place = TRY(find_path(argument, 0, fs::kFollow));
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  TRY(landlock::check_mount());
  const u32 kept = static_cast<u32>(flags) & kKeptFlags;
  if ((flags & kRemount) != 0) {
    LockGuard guard(fs::dentry_lock());
    if (place->parent() != nullptr || place->mount() == nullptr) return Errno::Invalid;
    place->mount()->flags = kept;
    return 0;
  }
  if ((flags & kBind) != 0) {
    const RefPtr<fs::Dentry> origin = TRY(find_source(source));
    TRY(fs::bind_mount(*origin, *place, 0));
    return 0;
  }
  if ((flags & (kPrivate | kSlave | kUnbindable)) != 0) return 0;
  if ((flags & (kShared | kMove)) != 0) return Errno::Invalid;
  if (type_name.view.empty()) return Errno::Invalid;
  RefPtr<fs::FileSystem> made = TRY(make(type_name.view, options.view));
  TRY(fs::mount_on(*place, uni::move(made), source_name.view, kept));
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

Result<i64> sys_umount2(UserText target, u32 flags) {
  constexpr u32 kForce = 1, kDetach = 2, kExpire = 4, kNoFollow = 8;
  if ((flags & ~(kForce | kDetach | kExpire | kNoFollow)) != 0) return Errno::Invalid;
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  if ((flags & kExpire) != 0) return Errno::Invalid;
  RefPtr<fs::Dentry> root;
  {
    PathArgument argument;
    TRY(argument.read(abi::kAtCwd, target));
    root = TRY(find_path(argument, 0, (flags & kNoFollow) != 0 ? 0u : u32{fs::kFollow}));
  }
  TRY(landlock::check_mount());
  TRY(fs::unmount(*root, (flags & kDetach) != 0));
  return 0;
}

}  // namespace uni::shim
