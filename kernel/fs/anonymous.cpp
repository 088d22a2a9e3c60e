// SPDX-License-Identifier: Apache-2.0
// A dentry for a File that has none (sockets, pipes, epoll), so that a magic link can lead to it: stat shows the
// File's, and opening gives the same open file again, where Linux would make a second one over a pipe. Sockets answer
// NoDeviceOrAddress, as on Linux.
#include "kernel/fs/vfs.hpp"

#include "kernel/base/late.hpp"
namespace uni::fs {

namespace {
// All nameless inodes belong to this one.
class AnonymousFs final : public FileSystem {
 public:
  Result<RefPtr<Inode>> root() override { return Errno::Invalid; }
  StringView type_name() const override { return "anon_inodefs"; }
  Result<FsStat> stat() override {
    FsStat out;
    out.type = 0x09041934;  // ANON_INODE_FS_MAGIC
    return out;
  }
  u64 device_number() const override { return 15; }
};

FileSystem& anonymous_fs() {
  static constinit Late<AnonymousFs> made;
  LockGuard guard(dentry_lock());
  return made.get();
}

FileType type_of(const Stat& stat) {
  return static_cast<FileType>((stat.mode >> 12) & 15);
}

class FileInode final : public Inode {
 public:
  FileInode(RefPtr<File> file, const Stat& stat)
      : Inode(anonymous_fs(), type_of(stat), stat.inode), file_(uni::move(file)) {}
  Result<void> stat(Stat& out) override { return file_->stat(out); }
  Result<RefPtr<File>> open(u32 flags) override {
    if (file_->kind() == FileKind::kSocket) return Errno::NoDeviceOrAddress;
    const u32 access = flags & kOpenAccessMask;
    if (access != kOpenWriteOnly && !file_->readable()) return Errno::Access;
    if (access != kOpenReadOnly && !file_->writable()) return Errno::Access;
    return RefPtr<File>(file_);
  }

 private:
  RefPtr<File> file_;
};
}  // namespace

Result<RefPtr<Dentry>> dentry_for(File& file) {
  if (Dentry* own = file.dentry()) return RefPtr<Dentry>(own);
  Stat stat;
  TRY(file.stat(stat));
  RefPtr<Inode> inode = TRY(make_ref<FileInode>(RefPtr<File>(&file), stat));
  char buffer[64];
  const usize length = file.describe(buffer);
  return Dentry::create(nullptr, nullptr, {buffer, length}, uni::move(inode));
}

}  // namespace uni::fs
