// SPDX-License-Identifier: Apache-2.0
// Files of a host directory. An inode holds a walked fid; inodes of one host file are one object (the file system's
// table, by qid path), so that locks and mappings meet.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/fs/p9/client.hpp"
#include "kernel/fs/p9/p9.hpp"
#include "kernel/fs/page_cache.hpp"

namespace uni::fs::p9 {

class P9FileSystem;

class P9Inode final : public Inode {
 public:
  P9Inode(P9FileSystem& fs, FileType type, const Qid& qid, Fid fid);

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
  bool cacheable() const override { return false; }
  Result<usize> read_link(Span<char> out) override;
  Result<void> read_pages(u64 page_index, Span<mm::Page*> pages) override;
  Result<void> write_pages(u64 page_index, Span<mm::Page* const> pages) override;
  u64 size() const override { return size_.load(std::memory_order_relaxed); }
  Result<void> set_size(u64 size) override;
  Result<void> sync(bool data_only) override;
  Result<RefPtr<File>> open(u32 flags) override;

  Fid fid() const { return fid_; }
  u64 path() const { return path_; }
  Client& client() const;
  // Reads or writes through an opened fid, at most kChunk bytes of kernel memory; gives the number done.
  Result<usize> read_at(Fid opened, u64 offset, void* to, usize size);
  Result<usize> write_at(Fid opened, u64 offset, const void* from, usize size);
  Result<Fid> open_fid(u32 access);
  PageCache& mapping_cache() { return cache_; }
  void forget();  // its last name went: another file may get its number

  ListNode table_node;

 private:
  ~P9Inode() override;
  void last_unref() override;
  Result<void> unlink_at(StringView name, u32 flags, Inode& victim);
  P9FileSystem& fs() const;

  Fid fid_;
  u64 path_;
  std::atomic<u64> size_{0};
  Stat last_;  // what stat says once the file has no name any more
  std::atomic<bool> nameless_{false};
  PageCache cache_;
};

class P9FileSystem final : public FileSystem {
 public:
  P9FileSystem(P9Transport& transport, ReadOnly read_only) : client_(transport), read_only_(read_only) {}
  Result<void> attach();
  Result<RefPtr<Inode>> root() override { return RefPtr<Inode>(root_); }
  StringView type_name() const override { return "9p"; }
  Result<FsStat> stat() override;
  u64 device_number() const override { return device_; }
  bool read_only() const override { return read_only_ == ReadOnly::kYes; }

  Client& client() { return client_; }
  // The inode for a walked fid, which it takes over (or clunks where the inode is known already).
  Result<RefPtr<Inode>> inode_for(Fid fid, const Qid& qid);
  // Needs: called when the last reference went. Gives true where the inode left the table and may die.
  bool retire(P9Inode& inode);

 private:
  Client client_;
  ReadOnly read_only_;
  u64 device_ = 0;
  RefPtr<Inode> root_;
  SpinLock lock_{Rank::kInodeCache};
  List<P9Inode, &P9Inode::table_node> table_;
  friend class P9Inode;
};

}  // namespace uni::fs::p9
