// SPDX-License-Identifier: Apache-2.0
// Regular files: content lives in the page cache, which calls read_pages, write_pages and prepare_write. Blocks are
// allocated when pages are written back (delayed allocation); until then they are only promised.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/fs/ext4/inode.hpp"
#include "kernel/fs/page_cache.hpp"

namespace uni::fs::ext4 {

class RegularFile final : public Ext4Inode {
 public:
  RegularFile(Ext4& fs, FileType type, u32 number, Ext4::InodePlace place)
      : Ext4Inode(fs, type, number, uni::move(place)), cache_(*this) {}

  Result<void> read_pages(u64 page_index, Span<mm::Page*> pages) override;
  Result<void> write_pages(u64 page_index, Span<mm::Page* const> pages) override;
  Result<void> prepare_write(u64 page_index) override;
  Result<void> set_size(u64 size) override;
  Result<void> allocate(int mode, u64 offset, u64 length) override;
  int allocate_modes() const override { return 0x3b; }  // all but unsharing
  Result<u64> seek_data(u64 offset, bool hole) override;
  PageCache* page_cache() override { return &cache_; }
  u64 delayed_blocks() const override { return delayed_count_; }

 private:
  ~RegularFile() override;
  // Pages whose blocks are promised but not allocated, as runs in order. Under map_lock.
  struct Delayed {
    u64 first, end;
  };
  Result<void> add_delayed(u64 page);
  // Takes the pages [first, end) off the promises.
  Result<void> drop_delayed(u64 first, u64 end);
  u32 blocks_per_page() const { return static_cast<u32>(kPageSize >> ext4().geometry().block_shift); }
  u64 block_of(u64 offset) const { return offset >> ext4().geometry().block_shift; }
  Result<void> map_blocks(u32 first, u32 count, bool unwritten);
  // Where a block that does not exist should go.
  Result<u64> goal(u32 logical);

  PageCache cache_;
  Vector<Delayed> delayed_;
  u64 delayed_count_ = 0;  // in blocks
};

}  // namespace uni::fs::ext4
