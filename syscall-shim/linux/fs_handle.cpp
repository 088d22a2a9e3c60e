// SPDX-License-Identifier: Apache-2.0
// name_to_handle_at(2), open_by_handle_at(2). A handle is the inode's number and the birth of the inode, so that a
// number that was used again is told from the old one.
#include "kernel/fs/handle.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr i32 kHandleType = 1;  // FILEID_INO32_GEN's number; the content is ours
constexpr unsigned kCapDacReadSearch = 2;

struct Content {
  u64 number;
  i64 born_seconds;
  u32 born_nanoseconds;
  u32 type;
};
static_assert(sizeof(Content) == 24);

Result<Content> content_of(fs::Inode& inode) {
  fs::Stat stat;
  TRY(inode.stat(stat));
  return Content{inode.number(), stat.created.seconds, stat.created.nanoseconds, static_cast<u32>(inode.type())};
}
}  // namespace

Result<i64> sys_name_to_handle_at(i32 directory, UserText path, UserPtr<abi::FileHandle> handle, UserPtr<i32> mount_id,
                                  u32 flags) {
  constexpr u32 kUniqueMount = 1, kConnectable = 2, kOnlyNumber = 0x200;  // AT_HANDLE_*
  if ((flags & ~(abi::kAtSymlinkFollow | abi::kAtEmptyPath | kUniqueMount | kConnectable | kOnlyNumber)) != 0)
    return Errno::Invalid;
  if ((flags & kConnectable) != 0 && (flags & (kOnlyNumber | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(directory, path));
  const u32 follow = (flags & abi::kAtSymlinkFollow) != 0 ? u32{fs::kFollow} : 0u;
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, flags, follow));
  fs::Mount* mount = found->mount();
  // A handle that only tells files apart is there for any file system.
  const bool lasting = mount != nullptr && fs::has_lasting_numbers(mount->file_system());
  if (!lasting && (mount == nullptr || (flags & kOnlyNumber) == 0)) return Errno::NotSupported;
  abi::FileHandle head = TRY(handle.read());
  if (head.bytes > abi::kLargestHandle) return Errno::Invalid;
  const bool fits = head.bytes >= sizeof(Content);
  const Content content = TRY(content_of(*found->inode()));
  head.bytes = sizeof(Content);
  head.type = kHandleType;
  if ((flags & kUniqueMount) != 0)
    TRY(UserPtr<u64>(raw(mount_id.address())).write(u64{mount->id()}));
  else
    TRY(mount_id.write(static_cast<i32>(mount->id())));
  TRY(handle.write(head));
  if (!fits) return Errno::Overflow;
  TRY(copy_to_user(handle.address() + sizeof head, &content, sizeof content));
  return 0;
}

Result<i64> sys_open_by_handle_at(i32 mount_fd, UserPtr<abi::FileHandle> handle, u32 flags) {
  Process& process = Process::current();
  if (!process.credentials.capable(kCapDacReadSearch)) return Errno::NotPermitted;
  const abi::FileHandle head = TRY(handle.read());
  if (head.bytes == 0 || head.bytes > abi::kLargestHandle) return Errno::Invalid;
  Content content{};
  TRY(copy_from_user(&content, handle.address() + sizeof head, min<usize>(head.bytes, sizeof content)));
  RefPtr<fs::Dentry> base;
  if (mount_fd == abi::kAtCwd) {
    base = Process::current_fs()->cwd();
  } else {
    const RefPtr<fs::File> file = TRY(file_of(mount_fd, true));
    base = RefPtr<fs::Dentry>(file->dentry());
  }
  if (!base || base->mount() == nullptr || !fs::has_lasting_numbers(base->mount()->file_system())) return Errno::Stale;
  if (head.type != kHandleType || head.bytes != sizeof content) return Errno::Stale;
  const RefPtr<fs::Dentry> found = TRY(fs::find_number(*base->mount(), content.number));
  const Content now = TRY(content_of(*found->inode()));
  if (__builtin_memcmp(&now, &content, sizeof now) != 0) return Errno::Stale;
  if (found->is_symlink() && (flags & fs::kOpenPath) == 0) return Errno::Loop;
  if (!found->is_directory() && (flags & fs::kOpenDirectory) != 0) return Errno::NotDirectory;
  RefPtr<fs::File> file =
      TRY(fs::open_dentry(*found, process.credentials, (flags & ~u32{fs::kOpenCreate}) | fs::kOpenLargeFile));
  return TRY(process.files->install(uni::move(file), (flags & fs::kOpenCloseOnExec) != 0));
}

}  // namespace uni::shim
