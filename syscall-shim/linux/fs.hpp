// SPDX-License-Identifier: Apache-2.0
// Handlers of the fs family.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/fs.hpp"

namespace uni::shim {

using UserText = UserPtr<const char>;
using UserBytes = UserPtr<u8>;

// fs_open.cpp
Result<i64> sys_open(UserText path, u32 flags, u32 mode);
Result<i64> sys_openat(i32 directory, UserText path, u32 flags, u32 mode);
Result<i64> sys_openat2(i32 directory, UserText path, UserPtr<abi::OpenHow> how, u64 size);
Result<i64> sys_creat(UserText path, u32 mode);
Result<i64> sys_close(i32 fd);
Result<i64> sys_close_range(u32 first, u32 last, u32 flags);
Result<i64> sys_dup(i32 fd);
Result<i64> sys_dup2(i32 fd, i32 target);
Result<i64> sys_dup3(i32 fd, i32 target, u32 flags);
Result<i64> sys_pipe(UserPtr<i32> fds);
Result<i64> sys_pipe2(UserPtr<i32> fds, u32 flags);
Result<i64> sys_memfd_create(UserText name, u32 flags);
Result<i64> sys_memfd_secret(u32 flags);

// fs_rw.cpp
Result<i64> sys_read(i32 fd, UserBytes buffer, u64 count);
Result<i64> sys_write(i32 fd, UserBytes buffer, u64 count);
Result<i64> sys_pread64(i32 fd, UserBytes buffer, u64 count, i64 offset);
Result<i64> sys_pwrite64(i32 fd, UserBytes buffer, u64 count, i64 offset);
Result<i64> sys_readv(i32 fd, UserPtr<IoSegment> segments, u64 count);
Result<i64> sys_writev(i32 fd, UserPtr<IoSegment> segments, u64 count);
Result<i64> sys_preadv(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high);
Result<i64> sys_pwritev(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high);
Result<i64> sys_preadv2(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high, u32 flags);
Result<i64> sys_pwritev2(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high, u32 flags);
Result<i64> sys_lseek(i32 fd, i64 offset, i32 whence);

// fs_stat.cpp
Result<i64> sys_stat(UserText path, UserPtr<abi::Stat> out);
Result<i64> sys_lstat(UserText path, UserPtr<abi::Stat> out);
Result<i64> sys_fstat(i32 fd, UserPtr<abi::Stat> out);
Result<i64> sys_newfstatat(i32 directory, UserText path, UserPtr<abi::Stat> out, u32 flags);
Result<i64> sys_statx(i32 directory, UserText path, u32 flags, u32 mask, UserPtr<abi::Statx> out);
Result<i64> sys_statfs(UserText path, UserPtr<abi::Statfs> out);
Result<i64> sys_fstatfs(i32 fd, UserPtr<abi::Statfs> out);
Result<i64> sys_access(UserText path, u32 mode);
Result<i64> sys_faccessat(i32 directory, UserText path, u32 mode);
Result<i64> sys_faccessat2(i32 directory, UserText path, u32 mode, u32 flags);

// fs_names.cpp
Result<i64> sys_mkdir(UserText path, u32 mode);
Result<i64> sys_mkdirat(i32 directory, UserText path, u32 mode);
Result<i64> sys_mknod(UserText path, u32 mode, u32 device);
Result<i64> sys_mknodat(i32 directory, UserText path, u32 mode, u32 device);
Result<i64> sys_rmdir(UserText path);
Result<i64> sys_unlink(UserText path);
Result<i64> sys_unlinkat(i32 directory, UserText path, u32 flags);
Result<i64> sys_symlink(UserText target, UserText path);
Result<i64> sys_symlinkat(UserText target, i32 directory, UserText path);
Result<i64> sys_link(UserText old_path, UserText new_path);
Result<i64> sys_linkat(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path, u32 flags);
Result<i64> sys_rename(UserText old_path, UserText new_path);
Result<i64> sys_renameat(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path);
Result<i64> sys_renameat2(i32 old_directory, UserText old_path, i32 new_directory, UserText new_path, u32 flags);
Result<i64> sys_readlink(UserText path, UserBytes buffer, i32 size);
Result<i64> sys_readlinkat(i32 directory, UserText path, UserBytes buffer, i32 size);

// fs_directory.cpp
Result<i64> sys_getdents(u32 fd, UserBytes buffer, u32 size);
Result<i64> sys_getdents64(u32 fd, UserBytes buffer, u32 size);
Result<i64> sys_getcwd(UserBytes buffer, u64 size);
Result<i64> sys_chdir(UserText path);
Result<i64> sys_fchdir(i32 fd);
Result<i64> sys_chroot(UserText path);
Result<i64> sys_umask(u32 mask);

// fs_attributes.cpp
Result<i64> sys_chmod(UserText path, u32 mode);
Result<i64> sys_fchmod(i32 fd, u32 mode);
Result<i64> sys_fchmodat(i32 directory, UserText path, u32 mode);
Result<i64> sys_fchmodat2(i32 directory, UserText path, u32 mode, u32 flags);
Result<i64> sys_chown(UserText path, u32 uid, u32 gid);
Result<i64> sys_lchown(UserText path, u32 uid, u32 gid);
Result<i64> sys_fchown(i32 fd, u32 uid, u32 gid);
Result<i64> sys_fchownat(i32 directory, UserText path, u32 uid, u32 gid, u32 flags);
Result<i64> sys_utime(UserText path, UserPtr<i64> times);
Result<i64> sys_utimes(UserText path, UserPtr<abi::Timeval> times);
Result<i64> sys_futimesat(i32 directory, UserText path, UserPtr<abi::Timeval> times);
Result<i64> sys_utimensat(i32 directory, UserText path, UserPtr<abi::Timespec> times, u32 flags);

// fs_xattr.cpp
Result<i64> sys_setxattr(UserText path, UserText name, UserBytes value, u64 size, i32 flags);
Result<i64> sys_lsetxattr(UserText path, UserText name, UserBytes value, u64 size, i32 flags);
Result<i64> sys_fsetxattr(i32 fd, UserText name, UserBytes value, u64 size, i32 flags);
Result<i64> sys_getxattr(UserText path, UserText name, UserBytes value, u64 size);
Result<i64> sys_lgetxattr(UserText path, UserText name, UserBytes value, u64 size);
Result<i64> sys_fgetxattr(i32 fd, UserText name, UserBytes value, u64 size);
Result<i64> sys_listxattr(UserText path, UserBytes list, u64 size);
Result<i64> sys_llistxattr(UserText path, UserBytes list, u64 size);
Result<i64> sys_flistxattr(i32 fd, UserBytes list, u64 size);
Result<i64> sys_removexattr(UserText path, UserText name);
Result<i64> sys_lremovexattr(UserText path, UserText name);
Result<i64> sys_fremovexattr(i32 fd, UserText name);

// fs_control.cpp
Result<i64> sys_fcntl(i32 fd, i32 command, u64 argument);
Result<i64> sys_ioctl(i32 fd, u32 command, u64 argument);
Result<i64> sys_flock(i32 fd, u32 operation);

// fs_size.cpp
Result<i64> sys_truncate(UserText path, i64 size);
Result<i64> sys_ftruncate(i32 fd, i64 size);
Result<i64> sys_fallocate(i32 fd, i32 mode, i64 offset, i64 length);
Result<i64> sys_fadvise64(i32 fd, i64 offset, i64 length, i32 advice);
Result<i64> sys_readahead(i32 fd, i64 offset, u64 count);
Result<i64> sys_cachestat(i32 fd, UserPtr<abi::CacheRange> where, UserPtr<abi::CacheStat> out, u32 flags);
Result<i64> sys_sync();
Result<i64> sys_syncfs(i32 fd);
Result<i64> sys_fsync(i32 fd);
Result<i64> sys_fdatasync(i32 fd);
Result<i64> sys_sync_file_range(i32 fd, i64 offset, i64 length, u32 flags);

// fs_copy.cpp
Result<i64> sys_sendfile(i32 out, i32 in, UserPtr<i64> offset, u64 count);
Result<i64> sys_copy_file_range(i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset, u64 count, u32 flags);
Result<i64> sys_splice(i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset, u64 count, u32 flags);
Result<i64> sys_tee(i32 in, i32 out, u64 count, u32 flags);
Result<i64> sys_vmsplice(i32 fd, UserPtr<IoSegment> segments, u64 count, u32 flags);

// fs_mount.cpp
Result<i64> sys_mount(UserText source, UserText target, UserText type, u64 flags, UserText data);
Result<i64> sys_umount2(UserText target, u32 flags);
Result<i64> sys_pivot_root(UserText new_root, UserText put_old);

// fs_mount_api.cpp
Result<i64> sys_open_tree(i32 directory, UserText path, u32 flags);
Result<i64> sys_move_mount(i32 from_directory, UserText from_path, i32 to_directory, UserText to_path, u32 flags);
Result<i64> sys_fsopen(UserText name, u32 flags);
Result<i64> sys_fspick(i32 directory, UserText path, u32 flags);
Result<i64> sys_fsconfig(i32 fd, u32 command, UserText key, UserAddr value, i32 extra);
Result<i64> sys_fsmount(i32 fd, u32 flags, u32 attributes);
Result<i64> sys_mount_setattr(i32 directory, UserText path, u32 flags, UserPtr<abi::MountAttr> from, u64 size);

// fs_old.cpp
Result<i64> sys_ustat(u32 device, UserPtr<abi::Ustat> out);
Result<i64> sys_sysfs(i32 option, u64 first, u64 second);

// fs_handle.cpp
Result<i64> sys_name_to_handle_at(i32 directory, UserText path, UserPtr<abi::FileHandle> handle, UserPtr<i32> mount_id,
                                  u32 flags);
Result<i64> sys_open_by_handle_at(i32 mount_fd, UserPtr<abi::FileHandle> handle, u32 flags);

// fs_inotify.cpp
Result<i64> sys_inotify_init();
Result<i64> sys_inotify_init1(u32 flags);
Result<i64> sys_inotify_add_watch(i32 fd, UserText path, u32 mask);
Result<i64> sys_inotify_rm_watch(i32 fd, i32 watch);

}  // namespace uni::shim
