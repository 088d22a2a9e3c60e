// SPDX-License-Identifier: Apache-2.0
// inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). Differs: changes that the host makes in a host directory
// are not seen.
#include "kernel/fs/notify.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr u32 kNonBlock = 0x800, kCloseOnExec = 0x80000;
enum WatchFlag : u32 {
  kOnlyDirectory = 0x01000000,
  kDontFollow = 0x02000000,
  kExcludeUnlinked = 0x04000000,
  kMaskCreate = 0x10000000,
  kMaskAdd = 0x20000000,
  kIsDirectory = 0x40000000,
  kOneShot = 0x80000000,
};
constexpr u32 kMayRead = 4;

// The instance behind a descriptor. Errors: BadFd, Invalid.
Result<RefPtr<fs::File>> instance(i32 fd) {
  RefPtr<fs::File> file = TRY(file_of(fd));
  if (file->kind() != fs::FileKind::kInotify) return Errno::Invalid;
  return file;
}
fs::Inotify& as_inotify(fs::File& file) {
  return static_cast<fs::Inotify&>(file);
}
}  // namespace

Result<i64> sys_inotify_init1(u32 flags) {
  if ((flags & ~(kNonBlock | kCloseOnExec)) != 0) return Errno::Invalid;
  RefPtr<fs::Inotify> made = TRY(fs::Inotify::create((flags & kNonBlock) != 0 ? u32{fs::kOpenNonBlock} : 0));
  const int fd = TRY(Process::current().files->install(RefPtr<fs::File>(made.get()), (flags & kCloseOnExec) != 0));
  return i64{fd};
}

Result<i64> sys_inotify_init() {
  return sys_inotify_init1(0);
}

Result<i64> sys_inotify_add_watch(i32 fd, UserText path, u32 mask) {
  constexpr u32 kKnown = u32{fs::notify::kAllEvents} | fs::notify::kUnmount | fs::notify::kOverflow |
                         fs::notify::kIgnored | kOnlyDirectory | kDontFollow | kExcludeUnlinked | kMaskCreate |
                         kMaskAdd | kIsDirectory | kOneShot;
  if ((mask & kKnown) == 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if ((mask & kMaskAdd) != 0 && (mask & kMaskCreate) != 0) return Errno::Invalid;
  if (file->kind() != fs::FileKind::kInotify) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, path));
  const u32 look = ((mask & kDontFollow) != 0 ? 0 : u32{fs::kFollow}) |
                   ((mask & kOnlyDirectory) != 0 ? u32{fs::kMustBeDirectory} : 0);
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, 0, look));
  TRY(fs::check_access(*found->inode(), Process::current().credentials, kMayRead));
  using Existing = fs::Inotify::Existing;
  const Existing existing = (mask & kMaskCreate) != 0 ? Existing::kRefuse
                            : (mask & kMaskAdd) != 0  ? Existing::kAdd
                                                      : Existing::kReplace;
  const u32 events = mask & (u32{fs::notify::kAllEvents} | kExcludeUnlinked | kOneShot);
  return i64 {
    TRY(as_inotify(*file).watch(*found->inode(), events, existing))
  };
}

Result<i64> sys_inotify_rm_watch(i32 fd, i32 watch) {
  const RefPtr<fs::File> file = TRY(instance(fd));
  TRY(as_inotify(*file).forget(watch));
  return 0;
}

}  // namespace uni::shim
