// SPDX-License-Identifier: Apache-2.0
// Sizes and stores: truncate(2), fallocate(2), posix_fadvise(2), fsync(2), sync(2), cachestat(2) and their families.
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/lease.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/security/landlock.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr u32 kMayWrite = 2;

Result<i64> sync_file(i32 fd, bool data_only) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  TRY(file->sync(data_only));
  return 0;
}

u64 pages_in(u64 length) {
  return length / kPageSize + (length % kPageSize != 0 ? 1 : 0);
}
}  // namespace

Result<i64> sys_truncate(UserText path, i64 size) {
  if (size < 0) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, path));
  const RefPtr<fs::Dentry> found = TRY(find_path(argument, 0, fs::kFollow));
  if (found->is_directory()) return Errno::IsDirectory;
  if (found->inode()->type() != fs::FileType::kRegular) return Errno::Invalid;
  if (found->mount() != nullptr && found->mount()->read_only()) return Errno::ReadOnlyFs;
  TRY(fs::check_access(*found->inode(), Process::current().credentials, kMayWrite));
  fs::Inode& inode = *found->inode();
  if (inode.bound() != 0) return Errno::NotPermitted;
  TRY(fs::get_write_access(inode));
  Result<void> done = fs::leases::break_for(inode, fs::leases::Access::kWrite, fs::leases::Wait::kYes);
  if (done.ok()) done = landlock::check(*found, landlock::kTruncate);
  if (done.ok()) done = fs::truncate_inode(inode, static_cast<u64>(size));
  fs::put_write_access(inode);
  TRY(done);
  fs::notify::on_place(*found, fs::notify::kModify);
  return 0;
}

Result<i64> sys_ftruncate(i32 fd, i64 size) {
  if (size < 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!file->writable()) return Errno::Invalid;
  if ((file->landlock_denied & landlock::kTruncate) != 0) return Errno::Access;
  if (file->inode() != nullptr && file->inode()->bound() != 0) return Errno::NotPermitted;
  TRY(file->truncate(static_cast<u64>(size)));
  return 0;
}

// One of the modes that fallocate(2) has, with the flag that goes with it?
bool is_allocate_mode(i32 mode) {
  constexpr i32 kKeepSize = 1, kPunchHole = 2, kCollapse = 8, kZero = 0x10, kInsert = 0x20, kUnshare = 0x40;
  switch (mode & ~kKeepSize) {
    case 0:
    case kZero:
    case kUnshare:
      return true;
    case kPunchHole:
      return (mode & kKeepSize) != 0;
    case kCollapse:
    case kInsert:
      return (mode & kKeepSize) == 0;
    default:
      return false;
  }
}

// fallocate(2). The file system refuses what its kind does not know; none knows UNSHARE_RANGE.
Result<i64> sys_fallocate(i32 fd, i32 mode, i64 offset, i64 length) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (offset < 0 || length <= 0) return Errno::Invalid;
  if (!is_allocate_mode(mode)) return Errno::NotSupported;
  if (!file->writable()) return Errno::BadFd;
  if (file->kind() == fs::FileKind::kPipe) return Errno::IllegalSeek;
  if (const fs::Inode* inode = file->inode()) {
    constexpr i32 kKeepSize = 1;
    if ((inode->bound() & fs::kFileImmutable) != 0) return Errno::NotPermitted;
    if ((inode->bound() & fs::kFileAppendOnly) != 0 && (mode & ~kKeepSize) != 0) return Errno::NotPermitted;
  }
  TRY(file->allocate(mode, static_cast<u64>(offset), static_cast<u64>(length)));
  return 0;
}

// posix_fadvise(2): WILLNEED reads ahead; other advice changes nothing that a program could see.
Result<i64> sys_fadvise64(i32 fd, i64 offset, i64 length, i32 advice) {
  constexpr i32 kWillNeed = 3, kLargest = 5;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (file->kind() == fs::FileKind::kPipe) return Errno::IllegalSeek;
  if (length < 0 || advice < 0 || advice > kLargest) return Errno::Invalid;
  fs::Inode* inode = file->inode();
  fs::PageCache* cache = inode != nullptr ? inode->page_cache() : nullptr;
  if (advice != kWillNeed || cache == nullptr || offset < 0) return 0;
  const u64 first = static_cast<u64>(offset) / kPageSize;
  cache->prefetch(first, length == 0 ? ~u64{0} - first : pages_in(static_cast<u64>(length)));
  return 0;
}

Result<i64> sys_readahead(i32 fd, i64 offset, u64 count) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!file->readable()) return Errno::BadFd;
  fs::Inode* inode = file->inode();
  if (inode == nullptr || inode->page_cache() == nullptr) return Errno::Invalid;
  if (offset >= 0) inode->page_cache()->prefetch(static_cast<u64>(offset) / kPageSize, pages_in(count));
  return 0;
}

// cachestat(2). Who may not write the file learns nothing of it. Pages that were let go are not remembered: the two
// numbers of evicted ones are 0.
Result<i64> sys_cachestat(i32 fd, UserPtr<abi::CacheRange> where, UserPtr<abi::CacheStat> out, u32 flags) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  const auto range = TRY(where.read());
  fs::Inode* inode = file->inode();
  if (inode != nullptr && !file->writable()) {
    const Credentials& who = Process::current().credentials;
    fs::Stat st;
    TRY(inode->stat(st));
    if (st.uid != who.fsuid && !who.capable(fs::kCapFowner) && !fs::check_access(*inode, who, kMayWrite).ok())
      return Errno::NotPermitted;
  }
  if (flags != 0) return Errno::Invalid;
  abi::CacheStat answer{};
  if (fs::PageCache* cache = inode != nullptr ? inode->page_cache() : nullptr) {
    const u64 last = range.length == 0 ? ~u64{0} : range.offset + range.length - 1;
    const auto census = cache->census(range.offset / kPageSize, range.length == 0 ? last : last / kPageSize);
    answer.cached = census.cached;
    answer.dirty = census.dirty;
    answer.writeback = census.writeback;
  }
  TRY(out.write(answer));
  return 0;
}

Result<i64> sys_sync() {
  fs::sync_all();
  return 0;
}

Result<i64> sys_syncfs(i32 fd) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  TRY(fs::PageCache::flush_all());
  if (fs::Inode* inode = file->inode()) TRY(inode->file_system().sync());
  return 0;
}

Result<i64> sys_fsync(i32 fd) {
  return sync_file(fd, false);
}

Result<i64> sys_fdatasync(i32 fd) {
  return sync_file(fd, true);
}

// sync_file_range(2): writes the whole file's dirty pages, and always waits for them.
Result<i64> sys_sync_file_range(i32 fd, i64 offset, i64 length, u32 flags) {
  if (flags > 7 || offset < 0 || length < 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  fs::Inode* inode = file->inode();
  if (file->kind() != fs::FileKind::kInode || inode == nullptr) return Errno::IllegalSeek;
  if (inode->page_cache() != nullptr && flags != 0) TRY(inode->page_cache()->flush());
  return 0;
}

}  // namespace uni::shim
