// SPDX-License-Identifier: Apache-2.0
// memfd_secret(2)'s files: memory that is reached through a shared mapping of it and in no other way. There is no read
// or write, the size is set once, and mm::VmObject::secret() keeps other spaces' accesses out. The pages are zeroed
// when the last descriptor and mapping are gone.
#include "kernel/fs/secret_memory.hpp"

#include "kernel/base/late.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs {

namespace {

class SecretFs final : public FileSystem {
 public:
  SecretFs() { quota.limit = mm::memory_stats().total_pages; }
  Result<RefPtr<Inode>> root() override { return Errno::Invalid; }
  StringView type_name() const override { return "secretmem"; }
  Result<FsStat> stat() override {
    FsStat out;
    out.type = 0x5345434d;  // SECRETMEM_MAGIC
    return out;
  }
  u64 device_number() const override { return 24; }
  PageQuota quota;
  std::atomic<u64> next_number{1};
};

SecretFs& secret_fs() {
  static constinit Late<SecretFs> made;
  LockGuard guard(dentry_lock());
  return made.get();
}

// The cache is not shown as page_cache(): what copies between files must not find the pages.
class SecretInode final : public Inode {
 public:
  explicit SecretInode(SecretFs& owner)
      : Inode(owner, FileType::kRegular, owner.next_number.fetch_add(1)), cache_(*this, owner.quota) {
    const Credentials& who = Process::current().credentials;
    attributes_.device = owner.device_number();
    attributes_.inode = number();
    attributes_.mode = mode_type_bits(FileType::kRegular) | 0600;
    attributes_.uid = who.fsuid;
    attributes_.gid = who.fsgid;
    const u64 now = time::realtime_ns();
    attributes_.accessed = {static_cast<i64>(now / time::kSecond), static_cast<u32>(now % time::kSecond)};
    attributes_.modified = attributes_.changed = attributes_.created = attributes_.accessed;
    cache_.mark_secret();
  }

  Result<void> stat(Stat& out) override {
    out = attributes_;
    out.size = size();
    return {};
  }
  Result<void> set_attributes(const SetAttr& change) override {
    if ((change.which & SetAttr::kMode) != 0)
      attributes_.mode = mode_type_bits(FileType::kRegular) | (change.mode & 07777);
    if ((change.which & SetAttr::kUid) != 0) attributes_.uid = change.uid;
    if ((change.which & SetAttr::kGid) != 0) attributes_.gid = change.gid;
    if ((change.which & SetAttr::kAccessed) != 0) attributes_.accessed = change.accessed;
    if ((change.which & SetAttr::kModified) != 0) attributes_.modified = change.modified;
    return {};
  }
  u64 size() const override { return size_.load(std::memory_order_acquire); }
  Result<void> set_size(u64 size) override {
    if (size_.load(std::memory_order_relaxed) != 0) return Errno::Invalid;
    size_.store(size, std::memory_order_release);
    return {};
  }
  Result<RefPtr<File>> open(u32) override { return Errno::NoDeviceOrAddress; }
  RefPtr<mm::VmObject> object() { return cache_.vm_object(); }

 private:
  ~SecretInode() override { cache_.wipe(); }
  Stat attributes_;  // single words, written under Inode::lock
  std::atomic<u64> size_{0};
  PageCache cache_;
};

class SecretFile final : public File {
 public:
  explicit SecretFile(SecretInode& inode)
      : File(FileKind::kOther, u32{kOpenReadWrite} | kOpenLargeFile), inode_(inode) {}
  Result<void> truncate(u64 size) override { return truncate_inode(inode_, size); }
  Result<void> allocate(int, u64, u64) override { return Errno::NotSupported; }
  Result<RefPtr<mm::VmObject>> vm_object() override { return inode_.object(); }

 private:
  SecretInode& inode_;  // the dentry's
};

}  // namespace

Result<RefPtr<File>> make_secret_memory() {
  RefPtr<SecretInode> inode = TRY(make_ref<SecretInode>(secret_fs()));
  RefPtr<SecretFile> file = TRY(make_ref<SecretFile>(*inode));
  const RefPtr<Dentry> dentry =
      TRY(Dentry::create(nullptr, nullptr, "/secretmem (deleted)", RefPtr<Inode>(uni::move(inode))));
  file->set_dentry(*dentry);
  return RefPtr<File>(uni::move(file));
}

}  // namespace uni::fs
