// SPDX-License-Identifier: Apache-2.0
// getdents(2), getcwd(2), chdir(2), chroot(2), umask(2).
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr u32 kCapSysChroot = 18;
constexpr usize kDirent64Head = 19;  // before the name
constexpr usize kDirentHead = 18;

Result<RefPtr<fs::Dentry>> searchable_directory(RefPtr<fs::Dentry> dentry) {
  if (!dentry->is_directory()) return Errno::NotDirectory;
  TRY(fs::check_access(*dentry->inode(), Process::current().credentials, 1));
  return dentry;
}

Result<RefPtr<fs::Dentry>> find_directory(UserText path) {
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, path));
  return searchable_directory(TRY(find_path(argument, 0, fs::kFollow | fs::kMustBeDirectory)));
}

// The old record has no type byte before the name; it is the record's last byte. Gives the size of the new array; the
// old one is never longer, so it is made in place.
usize to_old_records(char* bytes, usize size) {
  usize to = 0;
  for (usize from = 0; from < size;) {
    u16 length = 0;
    __builtin_memcpy(&length, bytes + from + 16, 2);
    char record[300];
    __builtin_memcpy(record, bytes + from, length);
    const char type = record[18];
    const usize name_length = __builtin_strlen(record + kDirent64Head);
    const u16 old_length = static_cast<u16>(align_up(kDirentHead + name_length + 2, 8));
    __builtin_memcpy(bytes + to, record, 16);
    __builtin_memcpy(bytes + to + 16, &old_length, 2);
    __builtin_memset(bytes + to + kDirentHead, 0, old_length - kDirentHead);
    __builtin_memcpy(bytes + to + kDirentHead, record + kDirent64Head, name_length);
    bytes[to + old_length - 1] = type;
    to += old_length;
    from += length;
  }
  return to;
}
}  // namespace

Result<i64> sys_getdents64(u32 fd, UserBytes buffer, u32 size) {
  const RefPtr<fs::File> file = TRY(file_of(static_cast<i32>(fd)));
  LockGuard guard(file->position_lock);
  IoCursor to(buffer.address(), size);
  return static_cast<i64>(TRY(file->read_directory(to)));
}

// getdents(2): at most a page of records a call.
Result<i64> sys_getdents(u32 fd, UserBytes buffer, u32 size) {
  const RefPtr<fs::File> file = TRY(file_of(static_cast<i32>(fd)));
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  const ScopeGuard free_page([&] { mm::put_page(*page); });
  char* bytes = static_cast<char*>(mm::address_of(*page));
  LockGuard guard(file->position_lock);
  IoCursor to = IoCursor::kernel(bytes, min(usize{size}, kPageSize));
  const usize got = to_old_records(bytes, TRY(file->read_directory(to)));
  TRY(copy_to_user(buffer.address(), bytes, got));
  return static_cast<i64>(got);
}

// getcwd(2): NoEntry when the directory has been removed.
Result<i64> sys_getcwd(UserBytes buffer, u64 size) {
  const RefPtr<fs::FsContext>& context = Process::current_fs();
  const RefPtr<fs::Dentry> cwd = context->cwd();
  const RefPtr<fs::Dentry> root = context->root();
  {
    LockGuard guard(fs::dentry_lock());
    if (cwd->deleted()) return Errno::NoEntry;
  }
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  const ScopeGuard free_page([&] { mm::put_page(*page); });
  char* bytes = static_cast<char*>(mm::address_of(*page));
  bytes[kPageSize - 1] = '\0';
  Result<StringView> path = fs::path_of(*cwd, root.get(), {bytes, kPageSize - 1});
  if (!path.ok()) return Errno::NameTooLong;
  const usize length = path.value().size() + 1;
  if (length > size) return Errno::Range;
  TRY(copy_to_user(buffer.address(), path.value().data(), length));
  return static_cast<i64>(length);
}

Result<i64> sys_chdir(UserText path) {
  RefPtr<fs::Dentry> directory = TRY(find_directory(path));
  Process::current_fs()->set_cwd(uni::move(directory));
  return 0;
}

Result<i64> sys_fchdir(i32 fd) {
  const RefPtr<fs::File> file = TRY(file_of(fd, true));
  if (file->dentry() == nullptr) return Errno::NotDirectory;
  Process::current_fs()->set_cwd(TRY(searchable_directory(RefPtr<fs::Dentry>(file->dentry()))));
  return 0;
}

Result<i64> sys_chroot(UserText path) {
  RefPtr<fs::Dentry> directory = TRY(find_directory(path));
  if (!Process::current().credentials.capable(kCapSysChroot)) return Errno::NotPermitted;
  Process::current_fs()->set_root(uni::move(directory));
  return 0;
}

Result<i64> sys_umask(u32 mask) {
  return i64{Process::current_fs()->umask.exchange(mask & 0777)};
}

}  // namespace uni::shim
