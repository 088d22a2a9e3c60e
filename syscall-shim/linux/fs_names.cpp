// SPDX-License-Identifier: Apache-2.0
// Names: mkdir(2), mknod(2), unlink(2), rmdir(2), symlink(2), link(2), rename(2), readlink(2).
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr u32 kCapDacReadSearch = 2, kCapMknod = 27;

Result<i64> done(Result<void> result) {
  if (!result.ok()) return result.error();
  return 0;
}
}  // namespace

Result<i64> sys_mkdirat(i32 directory, UserText path, u32 mode) {
  PathArgument argument;
  TRY(argument.read(directory, path));
  return done(fs::make_directory(argument.start(), argument.text(), mode));
}

Result<i64> sys_mkdir(UserText path, u32 mode) {
  return sys_mkdirat(abi::kAtCwd, path, mode);
}

Result<i64> sys_mknodat(i32 directory, UserText path, u32 mode, u32 device) {
  PathArgument argument;
  TRY(argument.read(directory, path));
  const u32 kind = (mode >> 12) & 15;
  const fs::FileType type = kind == 0 ? fs::FileType::kRegular : static_cast<fs::FileType>(kind);
  switch (type) {
    case fs::FileType::kRegular:
    case fs::FileType::kFifo:
    case fs::FileType::kSocket:
      device = 0;
      break;
    case fs::FileType::kCharacter:
    case fs::FileType::kBlock:
      if (!Process::current().credentials.capable(kCapMknod)) return Errno::NotPermitted;
      break;
    case fs::FileType::kDirectory:
      return Errno::NotPermitted;
    default:
      return Errno::Invalid;
  }
  TRY(fs::make_node(argument.start(), argument.text(), type, mode & 07777, device));
  return 0;
}

Result<i64> sys_mknod(UserText path, u32 mode, u32 device) {
  return sys_mknodat(abi::kAtCwd, path, mode, device);
}

Result<i64> sys_unlinkat(i32 directory, UserText path, u32 flags) {
  if ((flags & ~u32{abi::kAtRemoveDirectory}) != 0) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(directory, path));
  if ((flags & abi::kAtRemoveDirectory) != 0) return done(fs::remove_directory(argument.start(), argument.text()));
  return done(fs::unlink(argument.start(), argument.text()));
}

Result<i64> sys_unlink(UserText path) {
  return sys_unlinkat(abi::kAtCwd, path, 0);
}

Result<i64> sys_rmdir(UserText path) {
  return sys_unlinkat(abi::kAtCwd, path, abi::kAtRemoveDirectory);
}

Result<i64> sys_symlinkat(UserText target, i32 directory, UserText path) {
  PathArgument text;
  TRY(text.read(abi::kAtCwd, target));
  PathArgument argument;
  TRY(argument.read(directory, path));
  return done(fs::make_symlink(argument.start(), argument.text(), text.text()));
}

Result<i64> sys_symlink(UserText target, UserText path) {
  return sys_symlinkat(target, abi::kAtCwd, path);
}

Result<i64> sys_linkat(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path, u32 flags) {
  if ((flags & ~(abi::kAtSymlinkFollow | abi::kAtEmptyPath)) != 0) return Errno::Invalid;
  if ((flags & abi::kAtEmptyPath) != 0 && !Process::current().credentials.capable(kCapDacReadSearch))
    return Errno::NoEntry;
  PathArgument from;
  TRY(from.read(old_directory, old_path));
  const u32 follow = (flags & abi::kAtSymlinkFollow) != 0 ? u32{fs::kFollow} : 0u;
  const RefPtr<fs::Dentry> existing = TRY(find_path(from, flags, follow));
  PathArgument to;
  TRY(to.read(new_directory, new_path));
  return done(fs::link(*existing, to.start(), to.text()));
}

Result<i64> sys_link(UserText old_path, UserText new_path) {
  return sys_linkat(abi::kAtCwd, old_path, abi::kAtCwd, new_path, 0);
}

Result<i64> sys_renameat2(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path, u32 flags) {
  if ((flags & ~(fs::kRenameNoReplace | fs::kRenameExchange)) != 0) return Errno::Invalid;
  PathArgument from;
  TRY(from.read(old_directory, old_path));
  PathArgument to;
  TRY(to.read(new_directory, new_path));
  return done(fs::rename(from.start(), from.text(), to.start(), to.text(), flags));
}

Result<i64> sys_renameat(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path) {
  return sys_renameat2(old_directory, old_path, new_directory, new_path, 0);
}

Result<i64> sys_rename(UserText old_path, UserText new_path) {
  return sys_renameat2(abi::kAtCwd, old_path, abi::kAtCwd, new_path, 0);
}

// readlink(2): cuts what does not fit. An empty path means the link that an O_PATH descriptor holds.
Result<i64> sys_readlinkat(i32 directory, UserText path, UserBytes buffer, i32 size) {
  if (size <= 0) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(directory, path));
  const bool empty = argument.text().empty();
  if (empty && argument.file() == nullptr) return Errno::NoEntry;
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, abi::kAtEmptyPath, 0));
  if (!found->is_symlink()) return empty ? Errno::NoEntry : Errno::Invalid;
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  const ScopeGuard free_page([&] { mm::put_page(*page); });
  char* text = static_cast<char*>(mm::address_of(*page));
  const usize length = TRY(found->inode()->read_link({text, kPageSize}));
  const usize shown = min(length, static_cast<usize>(size));
  TRY(copy_to_user(buffer.address(), text, shown));
  return static_cast<i64>(shown);
}

Result<i64> sys_readlink(UserText path, UserBytes buffer, i32 size) {
  return sys_readlinkat(abi::kAtCwd, path, buffer, size);
}

}  // namespace uni::shim
