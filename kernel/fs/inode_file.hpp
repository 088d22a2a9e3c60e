// SPDX-License-Identifier: Apache-2.0
// The generic open file over an inode: regular files through the page cache, directories, and what was opened with
// O_PATH.
#pragma once

#include "kernel/fs/dentry.hpp"
#include "kernel/fs/file.hpp"

namespace uni::fs {

class InodeFile final : public File {
 public:
  // Errors: TextBusy (to be written, while a program runs from it), NoMemory.
  static Result<RefPtr<File>> create(Dentry& dentry, u32 flags);

  Result<usize> read(IoCursor& to, u64 offset) override;
  Result<usize> write(IoCursor& from, u64 offset) override;
  bool seekable() const override { return true; }
  Result<u64> seek(i64 offset, int whence) override;
  Result<void> stat(Stat& out) override { return inode_.stat(out); }
  Result<void> truncate(u64 size) override;
  Result<void> sync(bool data_only) override;
  Result<void> allocate(int mode, u64 offset, u64 length) override;
  Result<RefPtr<mm::VmObject>> vm_object() override;
  Result<usize> read_directory(IoCursor& to) override;
  void descriptor_closed(FileTable& table) override;
  Inode* inode() override { return &inode_; }

 private:
  // Needs: where it may write, get_write_access was called, and its counterpart is left to this.
  InodeFile(Dentry& dentry, u32 flags);
  ~InodeFile() override;
  bool counted() const;
  // It was read: its access time, unless the open or the mount says that it stays.
  void note_accessed();
  friend class RefPtr<InodeFile>;
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  Inode& inode_;  // the dentry's
  PageCache* cache_;
};

// The right to write a regular file's content while no program runs from it (open, truncate). Errors: TextBusy.
Result<void> get_write_access(Inode& inode);
void put_write_access(Inode& inode);
// A program is going to run from the file: until the File dies nobody may write. Errors: TextBusy.
Result<void> deny_write(File& file);

// F_SEAL_* (fcntl(2)).
enum Seal : u32 {
  kSealSeal = 1,
  kSealShrink = 2,
  kSealGrow = 4,
  kSealWrite = 8,
  kSealFutureWrite = 16,
  kSealExec = 32
};

}  // namespace uni::fs
