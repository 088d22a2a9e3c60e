// SPDX-License-Identifier: Apache-2.0
// Extended attributes (xattr(7)). Names need one of the four known prefixes; "system." is refused (no ACLs).
#include "kernel/fs/notify.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr usize kNameMax = 255, kValueMax = 65536;
constexpr u32 kCapSysAdmin = 21, kCapFowner = 3;
constexpr u32 kMayWrite = 2, kMayRead = 4;

enum class Use : u8 { kRead, kWrite };

struct Name {
  char text[kNameMax + 1];
  usize length = 0;
  StringView view() const { return {text, length}; }
};

Result<void> read_name(Name& out, UserText name) {
  Result<usize> length = copy_string_from_user(out.text, name.address(), sizeof(out.text));
  if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Range : length.error();
  if (length.value() == 0) return Errno::Range;
  out.length = length.value();
  return {};
}

// Linux's xattr_permission.
Result<void> may_use(fs::Dentry& dentry, StringView name, Use use) {
  const Credentials& who = Process::current().credentials;
  fs::Inode& inode = *dentry.inode();
  if (use == Use::kWrite && dentry.mount() != nullptr && dentry.mount()->read_only()) return Errno::ReadOnlyFs;
  if (use == Use::kWrite && inode.bound() != 0) return Errno::NotPermitted;
  if (name.starts_with("trusted.")) {
    if (who.capable(kCapSysAdmin)) return {};
    return use == Use::kWrite ? Errno::NotPermitted : Errno::NoData;
  }
  if (name.starts_with("security.")) {
    return use == Use::kRead || who.capable(kCapSysAdmin) ? Result<void>() : Result<void>(Errno::NotPermitted);
  }
  if (!name.starts_with("user.")) return Errno::NotSupported;
  const bool plain = inode.type() == fs::FileType::kRegular || inode.type() == fs::FileType::kDirectory;
  if (!plain) return use == Use::kWrite ? Errno::NotPermitted : Errno::NoData;
  fs::Stat stat;
  TRY(inode.stat(stat));
  const bool sticky = inode.type() == fs::FileType::kDirectory && (stat.mode & 01000) != 0;
  if (sticky && use == Use::kWrite && stat.uid != who.fsuid && !who.capable(kCapFowner)) return Errno::NotPermitted;
  return fs::check_access(inode, who, use == Use::kWrite ? kMayWrite : kMayRead);
}

Result<RefPtr<fs::Dentry>> find(UserText path, u32 lookup_flags) {
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, path));
  return find_path(argument, 0, lookup_flags);
}

Result<RefPtr<fs::Dentry>> find_open(i32 fd) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  return fs::dentry_for(*file);
}

Result<i64> set(fs::Dentry& dentry, UserText user_name, UserBytes value, u64 size, i32 flags) {
  if ((flags & ~3) != 0) return Errno::Invalid;
  Name name;
  TRY(read_name(name, user_name));
  if (size > kValueMax) return Errno::TooBig;
  Vector<char> bytes;
  TRY(bytes.resize(size));
  if (size != 0) TRY(copy_from_user(bytes.data(), value.address(), size));
  TRY(may_use(dentry, name.view(), Use::kWrite));
  LockGuard guard(dentry.inode()->lock);
  TRY(dentry.inode()->set_xattr(name.view(), {bytes.data(), size}, flags));
  fs::notify::on_place(dentry, fs::notify::kAttributes);
  return 0;
}

Result<i64> get(fs::Dentry& dentry, UserText user_name, UserBytes value, u64 size) {
  Name name;
  TRY(read_name(name, user_name));
  TRY(may_use(dentry, name.view(), Use::kRead));
  Vector<char> bytes;
  TRY(bytes.resize(min<usize>(size, kValueMax)));
  usize length = 0;
  {
    LockGuard guard(dentry.inode()->lock);
    length = TRY(dentry.inode()->get_xattr(name.view(), bytes.span()));
  }
  if (size != 0) TRY(copy_to_user(value.address(), bytes.data(), length));
  return static_cast<i64>(length);
}

// The names that the program may see: "trusted." ones only with the capability.
Result<i64> list(fs::Dentry& dentry, UserBytes out, u64 size) {
  Vector<char> bytes;
  usize length = 0;
  {
    LockGuard guard(dentry.inode()->lock);
    length = TRY(dentry.inode()->list_xattr({}));
    if (length == 0) return 0;
    TRY(bytes.resize(length));
    length = TRY(dentry.inode()->list_xattr(bytes.span()));
  }
  if (!Process::current().credentials.capable(kCapSysAdmin)) {
    usize kept = 0;
    for (usize at = 0; at < length;) {
      const usize step = __builtin_strlen(bytes.data() + at) + 1;
      if (!StringView(bytes.data() + at, step - 1).starts_with("trusted.")) {
        __builtin_memmove(bytes.data() + kept, bytes.data() + at, step);
        kept += step;
      }
      at += step;
    }
    length = kept;
  }
  if (size == 0) return static_cast<i64>(length);
  if (length > size) return Errno::Range;
  TRY(copy_to_user(out.address(), bytes.data(), length));
  return static_cast<i64>(length);
}

Result<i64> remove(fs::Dentry& dentry, UserText user_name) {
  Name name;
  TRY(read_name(name, user_name));
  TRY(may_use(dentry, name.view(), Use::kWrite));
  LockGuard guard(dentry.inode()->lock);
  TRY(dentry.inode()->remove_xattr(name.view()));
  fs::notify::on_place(dentry, fs::notify::kAttributes);
  return 0;
}
}  // namespace

Result<i64> sys_setxattr(UserText path, UserText name, UserBytes value, u64 size, i32 flags) {
  return set(*TRY(find(path, fs::kFollow)), name, value, size, flags);
}
Result<i64> sys_lsetxattr(UserText path, UserText name, UserBytes value, u64 size, i32 flags) {
  return set(*TRY(find(path, 0)), name, value, size, flags);
}
Result<i64> sys_fsetxattr(i32 fd, UserText name, UserBytes value, u64 size, i32 flags) {
  return set(*TRY(find_open(fd)), name, value, size, flags);
}
Result<i64> sys_getxattr(UserText path, UserText name, UserBytes value, u64 size) {
  return get(*TRY(find(path, fs::kFollow)), name, value, size);
}
Result<i64> sys_lgetxattr(UserText path, UserText name, UserBytes value, u64 size) {
  return get(*TRY(find(path, 0)), name, value, size);
}
Result<i64> sys_fgetxattr(i32 fd, UserText name, UserBytes value, u64 size) {
  return get(*TRY(find_open(fd)), name, value, size);
}
Result<i64> sys_listxattr(UserText path, UserBytes out, u64 size) {
  return list(*TRY(find(path, fs::kFollow)), out, size);
}
Result<i64> sys_llistxattr(UserText path, UserBytes out, u64 size) {
  return list(*TRY(find(path, 0)), out, size);
}
Result<i64> sys_flistxattr(i32 fd, UserBytes out, u64 size) {
  return list(*TRY(find_open(fd)), out, size);
}
Result<i64> sys_removexattr(UserText path, UserText name) {
  return remove(*TRY(find(path, fs::kFollow)), name);
}
Result<i64> sys_lremovexattr(UserText path, UserText name) {
  return remove(*TRY(find(path, 0)), name);
}
Result<i64> sys_fremovexattr(i32 fd, UserText name) {
  return remove(*TRY(find_open(fd)), name);
}

}  // namespace uni::shim
