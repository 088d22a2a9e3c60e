// SPDX-License-Identifier: Apache-2.0
// The virtual file system's front: path walk, open, changes of names, mounts. Everything here may block, and needs no
// lock held, unless it says otherwise. Errors are those of the system call of the same purpose, in Linux's order.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/fs/dentry.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/fs/inode.hpp"

namespace uni {
struct Credentials;
}

namespace uni::fs {

// cwd, root and umask; CLONE_FS shares it, fork copies it.
struct FsContext : RefCounted {
  // At the root of the root mount, umask 022. Errors: NoMemory.
  static Result<RefPtr<FsContext>> create_root();
  Result<RefPtr<FsContext>> copy();
  RefPtr<Dentry> root();
  RefPtr<Dentry> cwd();
  void set_root(RefPtr<Dentry> dentry);
  void set_cwd(RefPtr<Dentry> dentry);
  std::atomic<u32> umask{022};

 private:
  friend class Walker;
  RefPtr<Dentry> root_, cwd_;  // under dentry_lock()
};

// Whose path it is and where it starts: at `base` (borrowed), or at the cwd where that is null.
struct PathStart {
  FsContext& context;
  const Credentials& who;
  Dentry* base = nullptr;
};

enum LookupFlag : u32 {
  kFollow = 1,  // follow a symbolic link in the last component
  kMustBeDirectory = 2,
  kEmptyPath = 4,   // "" means the start itself (AT_EMPTY_PATH)
  kNoSymlinks = 8,  // openat2's RESOLVE_*
  kNoMagicLinks = 16,
  kBeneath = 32,
  kInRoot = 64,
  kNoCrossMount = 128,
  kKeepExpiry = 256,  // leaves umount2's MNT_EXPIRE mark where it is
};

// The existing file at `path`. Errors: NoEntry, NotDirectory, Loop, NameTooLong, Access, Io, ...
Result<RefPtr<Dentry>> lookup(const PathStart& start, StringView path, u32 flags);

// open(2): flags are OpenFlag bits, mode is for O_CREAT before the umask.
Result<RefPtr<File>> open(const PathStart& start, StringView path, u32 flags, u32 mode, u32 lookup_flags = 0);
Result<RefPtr<File>> open_path(FsContext& context, const Credentials& who, StringView path, u32 flags, u32 mode);
// Opens what `dentry` names, with permission checks.
Result<RefPtr<File>> open_dentry(Dentry& dentry, const Credentials& who, u32 flags);

// mknod(2), also for AF_UNIX's bind (FileType::kSocket; Exists is its EADDRINUSE). Mode before the umask.
Result<RefPtr<Inode>> make_node(const PathStart& start, StringView path, FileType type, u32 mode, u64 special_device);
Result<void> make_directory(const PathStart& start, StringView path, u32 mode);
Result<void> make_symlink(const PathStart& start, StringView path, StringView target);
Result<void> link(Dentry& existing, const PathStart& start, StringView path);
Result<void> unlink(const PathStart& start, StringView path);
Result<void> remove_directory(const PathStart& start, StringView path);
enum RenameFlag : u32 { kRenameNoReplace = 1, kRenameExchange = 2 };
Result<void> rename(const PathStart& from, StringView old_path, const PathStart& to, StringView new_path, u32 flags);

// Permission to read (4), write (2), execute or search (1), combined. Errors: Access, ReadOnlyFs is not looked at.
Result<void> check_access(Inode& inode, const Credentials& who, u32 wanted);
// Changes attributes with chmod's, chown's and utimensat's checks and side effects. `times_now`: both times are "now".
enum class TimesNow : u8 { kNo, kYes };
Result<void> change_attributes(Dentry& dentry, const Credentials& who, SetAttr change, TimesNow now = TimesNow::kNo);
// truncate(2) on an inode opened for writing or checked before.
Result<void> truncate_inode(Inode& inode, u64 size);

// The absolute path of `dentry` as seen from `root` (null: the real root) at the end of `buffer`; " (deleted)" is
// appended to what is unlinked, "(unreachable)" stands before what is outside of the root. Does not block.
// Errors: Range (buffer too small).
Result<StringView> path_of(Dentry& dentry, Dentry* root, Span<char> buffer);
// A dentry for any File: its own, or a nameless one over it (pipes, sockets); for Inode::follow_magic.
Result<RefPtr<Dentry>> dentry_for(File& file);

// The root file system; called once, before create_root.
Result<void> init_root(RefPtr<FileSystem> fs, StringView source = "/dev/root");
// Attaches `fs` to the directory at `path`, from the kernel's own root. `flags` are MountFlag bits.
Result<void> mount_at(StringView path, RefPtr<FileSystem> fs, StringView source = "none", u32 flags = 0);
// mount(2) on a looked-up place; kernel/fs/mount.hpp has the rest. Errors: NotDirectory, Invalid, NoSpace, NoMemory.
Result<void> mount_on(Dentry& place, RefPtr<FileSystem> fs, StringView source, u32 flags);

// How an ordinary file system's character and block nodes open; set by devfs. `open` gives NoDeviceOrAddress for a
// number that it does not know.
using DeviceOpener = Result<RefPtr<File>> (*)(FileType type, u64 device, u32 flags);
void set_device_opener(DeviceOpener opener);

// Writes all dirty pages and metadata of all mounted file systems (sync(2), power-off).
void sync_all();

// A memory file system; `limit_bytes` 0 means half of memory.
Result<RefPtr<FileSystem>> make_tmpfs(u64 limit_bytes, u32 root_mode);
// Changes the limit of one; 0 leaves it. Errors: Invalid (more is in use).
Result<void> resize_tmpfs(FileSystem& fs, u64 limit_bytes);
// memfd_create(2): an open file without a name.
Result<RefPtr<File>> make_memfd(StringView name, u32 seals);
// pipe2(2); flags: O_NONBLOCK, O_CLOEXEC is the caller's.
struct PipeEnds {
  RefPtr<File> reader, writer;
};
Result<PipeEnds> make_pipe(u32 flags);

}  // namespace uni::fs
