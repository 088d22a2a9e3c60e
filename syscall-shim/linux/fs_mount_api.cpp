// SPDX-License-Identifier: Apache-2.0
// The mount calls on descriptors: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2),
// mount_setattr(2). Mounts with mapped IDs are refused, as there is one user namespace.
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/mount.hpp"
#include "kernel/security/landlock.hpp"
#include "syscall-shim/linux/extensible.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/fs_context.hpp"

namespace uni::shim {

namespace {
constexpr u32 kCapSysAdmin = 21;
constexpr u32 kAtRecursive = 0x8000;
constexpr u32 kOpenCloexec = fs::kOpenCloseOnExec;

bool may_mount() {
  return Process::current().credentials.capable(kCapSysAdmin);
}

// MOUNT_ATTR_*.
enum MountAttribute : u64 {
  kReadOnly = 1,
  kNoSuid = 2,
  kNoDev = 4,
  kNoExec = 8,
  kNoAtime = 0x10,
  kStrictAtime = 0x20,
  kAtimeMask = 0x70,
  kNoDirectoryAtime = 0x80,
  kMappedIds = 0x100000,
  kNoSymfollow = 0x200000,
};
constexpr u64 kAttributes = kReadOnly | kNoSuid | kNoDev | kNoExec | kAtimeMask | kNoDirectoryAtime | kNoSymfollow;

bool is_atime_choice(u64 attributes) {
  const u64 choice = attributes & kAtimeMask;
  return choice == 0 || choice == kNoAtime || choice == kStrictAtime;
}

u32 mount_flags(u64 attributes) {
  u32 flags = static_cast<u32>(attributes & (kReadOnly | kNoSuid | kNoDev | kNoExec));
  if ((attributes & kAtimeMask) == kNoAtime) flags |= fs::kMountNoAtime;
  if ((attributes & kAtimeMask) == kStrictAtime) flags |= fs::kMountStrictAtime;
  if ((attributes & kNoDirectoryAtime) != 0) flags |= fs::kMountNoDirectoryAtime;
  if ((attributes & kNoSymfollow) != 0) flags |= fs::kMountNoSymfollow;
  return flags;
}

Result<RefPtr<fs::Dentry>> find(i32 directory, UserText path, u32 at_flags) {
  PathArgument argument;
  TRY(argument.read(directory, path));
  const u32 follow = (at_flags & abi::kAtSymlinkNoFollow) != 0 ? 0u : u32{fs::kFollow};
  return find_path(argument, at_flags, follow);
}

// A descriptor of a mount that is nowhere yet: it goes with the descriptor, unless it is attached by then.
Result<i64> install_detached(const RefPtr<fs::Mount>& mount, u32 close_on_exec) {
  Result<RefPtr<fs::File>> file = fs::InodeFile::create(*mount->root, fs::kOpenPath);
  if (!file.ok()) {
    fs::dissolve_mount(*mount);
    return file.error();
  }
  file.value()->owns_mount = true;
  return TRY(Process::current().files->install(file.take(), close_on_exec != 0));
}

Result<RefPtr<fs::File>> context_of(i32 fd) {
  RefPtr<fs::File> file = TRY(file_of(fd));
  if (file->kind() != fs::FileKind::kFsContext) return Errno::Invalid;
  return file;
}

// A string of fsconfig's. Errors: Fault, Invalid (too long).
struct ShortText {
  char text[256];
  StringView view;
  Result<void> read(UserAddr from) {
    const Result<usize> length = copy_string_from_user(text, from, sizeof text);
    if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
    view = {text, length.value()};
    return {};
  }
};
}  // namespace

Result<i64> sys_open_tree(i32 directory, UserText path, u32 flags) {
  constexpr u32 kClone = 1;
  constexpr u32 kKnown =
      abi::kAtEmptyPath | abi::kAtNoAutomount | kAtRecursive | abi::kAtSymlinkNoFollow | kClone | kOpenCloexec;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  if ((flags & (kAtRecursive | kClone)) == kAtRecursive) return Errno::Invalid;
  if ((flags & kClone) != 0 && !may_mount()) return Errno::NotPermitted;
  const RefPtr<fs::Dentry> found = TRY(find(directory, path, flags));
  if ((flags & kClone) == 0) {
    RefPtr<fs::File> file = TRY(fs::InodeFile::create(*found, fs::kOpenPath));
    return TRY(Process::current().files->install(uni::move(file), (flags & kOpenCloexec) != 0));
  }
  const auto recursive = (flags & kAtRecursive) != 0 ? fs::Recursive::kYes : fs::Recursive::kNo;
  return install_detached(TRY(fs::copy_mount(*found, recursive)), flags & kOpenCloexec);
}

Result<i64> sys_move_mount(i32 from_directory, UserText from_path, i32 to_directory, UserText to_path, u32 flags) {
  constexpr u32 kFromSymlinks = 1, kFromEmpty = 4, kToSymlinks = 0x10, kToEmpty = 0x40;
  constexpr u32 kSetGroup = 0x100, kBeneath = 0x200, kKnown = 0x377;
  if (!may_mount()) return Errno::NotPermitted;
  if ((flags & ~kKnown) != 0 || (flags & (kSetGroup | kBeneath)) == (kSetGroup | kBeneath)) return Errno::Invalid;
  const auto at_flags = [&](u32 symlinks, u32 empty) {
    return ((flags & symlinks) != 0 ? 0u : u32{abi::kAtSymlinkNoFollow}) |
           ((flags & empty) != 0 ? u32{abi::kAtEmptyPath} : 0u);
  };
  const RefPtr<fs::Dentry> from = TRY(find(from_directory, from_path, at_flags(kFromSymlinks, kFromEmpty)));
  const RefPtr<fs::Dentry> to = TRY(find(to_directory, to_path, at_flags(kToSymlinks, kToEmpty)));
  TRY(landlock::check_mount());
  if ((flags & kSetGroup) != 0)
    TRY(fs::join_group(*from, *to));
  else
    TRY(fs::move_mount(*from, *to, (flags & kBeneath) != 0 ? fs::Stack::kBeneath : fs::Stack::kOnTop));
  return 0;
}

Result<i64> sys_fsopen(UserText name, u32 flags) {
  constexpr u32 kCloseOnExec = 1;
  if (!may_mount()) return Errno::NotPermitted;
  if ((flags & ~kCloseOnExec) != 0) return Errno::Invalid;
  ShortText type;
  TRY(type.read(name.address()));
  const StringView known = TRY(known_type(type.view));
  RefPtr<fs::File> file = TRY(FsContextFile::for_new(known));
  return TRY(Process::current().files->install(uni::move(file), flags != 0));
}

Result<i64> sys_fspick(i32 directory, UserText path, u32 flags) {
  constexpr u32 kCloseOnExec = 1, kNoFollow = 2, kEmptyPath = 8, kKnown = 15;
  if (!may_mount()) return Errno::NotPermitted;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  const u32 at_flags = ((flags & kNoFollow) != 0 ? u32{abi::kAtSymlinkNoFollow} : 0u) |
                       ((flags & kEmptyPath) != 0 ? u32{abi::kAtEmptyPath} : 0u);
  const RefPtr<fs::Dentry> found = TRY(find(directory, path, at_flags));
  if (found->mount() == nullptr || found->mount()->root.get() != found.get()) return Errno::Invalid;
  RefPtr<fs::File> file = TRY(FsContextFile::for_mounted(*found->mount()));
  return TRY(Process::current().files->install(uni::move(file), (flags & kCloseOnExec) != 0));
}

// fsconfig(2). No type here takes a blob, a path or a descriptor: such a value is a bad one.
Result<i64> sys_fsconfig(i32 fd, u32 command, UserText key, UserAddr value, i32 extra) {
  enum : u32 { kFlag, kString, kBinary, kPath, kPathEmpty, kFd, kCreate, kReconfigure, kCreateExclusive };
  constexpr i32 kLargestBlob = 1024 * 1024;
  const bool has_value = raw(value) != 0;
  bool right = fd >= 0;
  switch (command) {
    case kFlag:
      right = right && key && !has_value && extra == 0;
      break;
    case kString:
      right = right && key && has_value && extra == 0;
      break;
    case kBinary:
      right = right && key && has_value && extra > 0 && extra <= kLargestBlob;
      break;
    case kPath:
    case kPathEmpty:
      right = right && key && has_value && (extra == abi::kAtCwd || extra >= 0);
      break;
    case kFd:
      right = right && key && !has_value && extra >= 0;
      break;
    case kCreate:
    case kReconfigure:
    case kCreateExclusive:
      right = right && !key && !has_value && extra == 0;
      break;
    default:
      return right ? Errno::NotSupported : Errno::Invalid;
  }
  if (!right) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(context_of(fd));
  auto& context = static_cast<FsContextFile&>(*file);
  if (command == kReconfigure) {
    TRY(context.reconfigure());
    return 0;
  }
  if (command == kCreate || command == kCreateExclusive) {
    TRY(context.create());
    return 0;
  }
  ShortText name, text;
  TRY(name.read(key.address()));
  if (command == kString) TRY(text.read(value));
  if (command == kFd) TRY(file_of(extra, true));
  TRY(context.set(name.view, text.view, command == kString ? HasValue::kYes : HasValue::kNo));
  return 0;
}

Result<i64> sys_fsmount(i32 fd, u32 flags, u32 attributes) {
  constexpr u32 kCloseOnExec = 1;
  if (!may_mount()) return Errno::NotPermitted;
  if ((flags & ~kCloseOnExec) != 0 || (attributes & ~kAttributes) != 0 || !is_atime_choice(attributes))
    return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(context_of(fd));
  const RefPtr<fs::Mount> made = TRY(static_cast<FsContextFile&>(*file).mount(mount_flags(attributes)));
  return install_detached(made, flags);
}

namespace {
// What of mount_setattr's structure can be told without the mount. Errors: Invalid, BadFd, NotPermitted.
Result<void> check(const abi::MountAttr& attr) {
  constexpr u64 kPropagations = u64{15} << 17;
  if ((attr.propagation & ~kPropagations) != 0 || (attr.propagation & (attr.propagation - 1)) != 0)
    return Errno::Invalid;
  if (((attr.set | attr.clear) & ~(kAttributes | kMappedIds)) != 0) return Errno::Invalid;
  if ((attr.clear & kAtimeMask) != 0) {
    if ((attr.clear & kAtimeMask) != kAtimeMask || !is_atime_choice(attr.set)) return Errno::Invalid;
  } else if ((attr.set & kAtimeMask) != 0) {
    return Errno::Invalid;
  }
  if (((attr.set | attr.clear) & kMappedIds) == 0) return {};
  if ((attr.set & kMappedIds) == 0 || attr.user_namespace > 0x7fffffff) return Errno::Invalid;
  TRY(file_of(static_cast<i32>(attr.user_namespace)));
  return Errno::NotPermitted;
}

fs::FlagChange change_of(const abi::MountAttr& attr) {
  fs::FlagChange change{mount_flags(attr.set), mount_flags(attr.clear & ~u64{kAtimeMask})};
  if ((attr.clear & kAtimeMask) != 0) change.clear |= fs::kMountNoAtime | fs::kMountStrictAtime;
  return change;
}
}  // namespace

Result<i64> sys_mount_setattr(i32 directory, UserText path, u32 flags, UserPtr<abi::MountAttr> from, u64 size) {
  constexpr u32 kKnown = abi::kAtEmptyPath | kAtRecursive | abi::kAtSymlinkNoFollow | abi::kAtNoAutomount;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  if (size > kPageSize) return Errno::TooBig;
  if (size < sizeof(abi::MountAttr)) return Errno::Invalid;
  if (!may_mount()) return Errno::NotPermitted;
  const auto attr = TRY(read_extensible<abi::MountAttr>(from.address(), size));
  if (attr.set == 0 && attr.clear == 0 && attr.propagation == 0) return 0;
  TRY(check(attr));
  const RefPtr<fs::Dentry> root = TRY(find(directory, path, flags));
  TRY(landlock::check_mount());
  const auto recursive = (flags & kAtRecursive) != 0 ? fs::Recursive::kYes : fs::Recursive::kNo;
  TRY(fs::change_mount_flags(*root, change_of(attr), recursive));
  constexpr u64 kUnbindable = 1 << 17, kPrivate = 1 << 18, kSlave = 1 << 19;
  if (attr.propagation != 0) {
    TRY(fs::set_propagation(*root,
                            attr.propagation == kUnbindable ? fs::Propagation::kUnbindable
                            : attr.propagation == kPrivate  ? fs::Propagation::kPrivate
                            : attr.propagation == kSlave    ? fs::Propagation::kSlave
                                                            : fs::Propagation::kShared,
                            recursive));
  }
  return 0;
}

}  // namespace uni::shim
