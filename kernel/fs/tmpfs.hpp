// SPDX-License-Identifier: Apache-2.0
// A file system in memory: content is in the page cache and nowhere else. Names, attributes and extended attributes are
// in the inodes. Also the store of memfd_create's files.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/fs/page_cache.hpp"

namespace uni::fs {

class TmpfsInode;

class Tmpfs final : public FileSystem {
 public:
  // limit in pages. Errors: NoMemory.
  static Result<RefPtr<Tmpfs>> create(u64 page_limit, u32 root_mode);
  Result<RefPtr<Inode>> root() override;
  StringView type_name() const override { return "tmpfs"; }
  Result<FsStat> stat() override;
  u64 device_number() const override { return device_; }
  void last_mount_gone() override;
  void show_options(Writer& out) override;
  // mount(2) with MS_REMOUNT; `pages` 0 leaves the size. Errors: Invalid (more is in use).
  Result<void> resize(u64 pages);
  // An inode that no directory has.
  Result<RefPtr<TmpfsInode>> make_inode(FileType type, u32 mode, u32 uid, u32 gid, u64 special_device);

  PageQuota quota;

 private:
  friend class TmpfsInode;
  ~Tmpfs() override;
  RefPtr<TmpfsInode> root_;
  u64 device_ = 0;
  u32 root_mode_ = 0;  // as it was asked for
  std::atomic<u64> next_inode_{1};
  std::atomic<u64> inodes_{0};
};

// Its fields are under Inode::lock, but for those of a stat, which are single words.
class TmpfsInode final : public Inode {
 public:
  TmpfsInode(Tmpfs& fs, FileType type, u64 number, u32 mode, u32 uid, u32 gid, u64 special_device);

  Result<void> stat(Stat& out) override;
  Result<void> set_attributes(const SetAttr& change) override;
  Result<RefPtr<Inode>> lookup(StringView name) override;
  Result<RefPtr<Inode>> create(StringView name, FileType type, u32 mode, u32 uid, u32 gid, u64 special_device) override;
  Result<RefPtr<Inode>> symlink(StringView name, StringView target, u32 uid, u32 gid) override;
  Result<void> link(StringView name, Inode& existing) override;
  Result<void> unlink(StringView name, Inode& victim) override;
  Result<void> rmdir(StringView name, Inode& victim) override;
  Result<void> rename(StringView old_name, Inode& moved, Inode& new_parent, StringView new_name, Inode* replaced,
                      bool exchange) override;
  Result<void> read_directory(u64 offset, DirectorySink& sink) override;
  Result<usize> read_link(Span<char> out) override;
  u64 size() const override { return size_.load(std::memory_order_relaxed); }
  Result<void> set_size(u64 size) override;
  Result<void> allocate(int mode, u64 offset, u64 length) override;
  int allocate_modes() const override { return 3; }  // keep the size, punch a hole
  Result<u64> seek_data(u64 offset, bool hole) override;
  PageCache* page_cache() override { return type() == FileType::kRegular ? &cache_ : nullptr; }
  void note_modified() override;
  void note_accessed(AccessTime how) override;
  std::atomic<u32>* seals() override { return type() == FileType::kRegular ? &seals_ : nullptr; }
  Result<usize> get_xattr(StringView name, Span<char> out) override;
  Result<void> set_xattr(StringView name, Span<const char> value, int flags) override;
  Result<usize> list_xattr(Span<char> out) override;
  Result<void> remove_xattr(StringView name) override;
  Result<u32> file_flags() override;
  Result<void> set_file_flags(u32 flags) override;

  // The size alone, for a file that nobody else sees yet.
  void set_seals(u32 seals) { seals_.store(seals); }

 private:
  friend class Tmpfs;
  struct Entry;
  struct Attribute;
  struct Directory;
  ~TmpfsInode() override;
  Tmpfs& fs() const { return static_cast<Tmpfs&>(file_system()); }
  Result<void> add(StringView name, TmpfsInode& child);
  Entry* find(StringView name) const;
  void erase(Entry& entry);
  Result<void> fit();
  bool empty() const;
  Attribute* find_attribute(StringView name) const;

  u32 mode_;
  u32 links_;
  u32 uid_, gid_;
  u32 flags_ = 0;
  u64 special_device_;
  std::atomic<u64> size_{0};
  u64 accessed_, modified_, changed_, created_;  // ns since 1970
  Directory* directory_ = nullptr;
  String target_;
  std::atomic<u32> seals_{1};  // F_SEAL_SEAL: only a memfd can be sealed
  Vector<Attribute*> attributes_;
  PageCache cache_;
};

}  // namespace uni::fs
