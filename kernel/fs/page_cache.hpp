// SPDX-License-Identifier: Apache-2.0
// The page cache of one inode, a member of it, shared by read, write and mmap. Invariants:
//  - a page in the tree holds valid content: a miss reads into fresh pages, and puts them in when they are full;
//  - a page enters and leaves the tree only under fill_lock_; the tree itself is under a spin lock;
//  - an inode with dirty pages is kept alive by its cache until they are written, unless it has been unlinked;
//  - a mapping's reference on the cache keeps the inode alive.
// Needs: the inode's page-store functions (read_pages, write_pages, prepare_write). No spin lock held, unless said.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/mm/vm_object.hpp"

namespace uni::fs {

// Pages that a memory file system may use.
struct PageQuota {
  std::atomic<u64> used{0};
  u64 limit = 0;
};

class PageCache final : public mm::VmObject {
 public:
  // Over a store: ext4's files and the like.
  explicit PageCache(Inode& inode) : inode_(inode) {}
  // The only store there is (tmpfs): pages are never written or reclaimed, a hole reads as zero.
  PageCache(Inode& inode, PageQuota& quota) : inode_(inode), quota_(&quota) {}
  ~PageCache() override;

  // Copies file content at `offset`, as far as size() goes. Errors: Io, Fault, NoMemory.
  Result<usize> read(IoCursor& to, u64 offset);
  // Writes and, where it ends behind size(), grows the inode (set_size). Needs: inode.lock held. Errors: NoSpace, Io,
  // Fault, NoMemory; what was written before an error counts.
  Result<usize> write(IoCursor& from, u64 offset);
  // Shrinks or grows the file: drops pages behind `size`, zeroes the rest of the page that holds it, and calls
  // set_size, which must not call the cache. Needs: inode.lock held. Errors: those of set_size, Io.
  Result<void> truncate(u64 size);
  // fallocate's modes that change content (punch a hole, zero a range): zeroes partial pages, drops whole ones and
  // calls Inode::allocate. Needs: inode.lock held.
  Result<void> punch(int mode, u64 offset, u64 length);
  // Writes all dirty pages. Errors: Io, NoSpace (the pages stay dirty).
  Result<void> flush();
  // A memory file's: makes every page in [first, last]. Errors: NoSpace, NoMemory.
  Result<void> fill_range(u64 first_page, u64 last_page);
  // Zeroes the content of all pages, in its owner's destructor.
  void wipe();
  // Lets all pages go, early in its owner's destructor.
  void release();
  // Would a read of this range find all of its pages here? (RWF_NOWAIT)
  bool holds(u64 offset, u64 size);
  // The first page at or after `index` that the tree holds, or ~0: SEEK_DATA on tmpfs.
  u64 next_present(u64 index);
  // Reads pages ahead of need (readahead(2), MAP_POPULATE). Errors are ignored.
  void prefetch(u64 first_page, u64 count);
  // The last name went (or came back): dirty pages of a nameless file need no write-back once it is closed.
  void set_unlinked(bool unlinked);
  // How many pages of [first, last] are here, and of those, are to be written and are being written.
  struct Census {
    u64 cached = 0, dirty = 0, writeback = 0;
  };
  Census census(u64 first, u64 last);
  u64 cached_pages() const { return count_; }
  u64 dirty_pages() const { return dirty_count_; }

  // The cache as a mappable object, with a reference that keeps the inode.
  RefPtr<mm::VmObject> vm_object();
  Result<mm::Page*> fault(u64 index, mm::Access access) override;

  // Registers the reclaim function; called by init_root.
  static void start();
  // Writes back every dirty inode (sync_all). Gives the first error.
  static Result<void> flush_all();

 protected:
  void last_unref() override;

 private:
  struct Node;
  static constexpr unsigned kBits = 6;
  static constexpr usize kReadAhead = 32;
  static constexpr usize kFaultAround = 16;
  enum class State : u8 { kClean, kDirty };

  static usize reclaim(usize wanted);
  // The tree (page_tree.cpp). find, remove: tree_lock_ held. The others: fill_lock_ held.
  mm::Page* find(u64 index) const;
  mm::Page* find_next(u64 first, u64 last) const;
  void remove(mm::Page& page);
  Result<void*> slot_for(u64 index);
  Result<void> insert(u64 index, mm::Page& page, State state);
  void drop(u64 first, u64 last);
  void free_nodes();

  mm::Page* get(u64 index);                               // with a reference, or null
  Result<mm::Page*> ensure(u64 index, usize want_pages);  // get or read in
  Result<mm::Page*> fill(u64 index, usize want_pages);    // fill_lock_ held
  Result<mm::Page*> fill_hole(u64 index);                 // a zero page in a memory file
  Result<void> make_dirty(mm::Page& page);
  void mark_dirty(mm::Page& page);  // tree_lock_ held
  Result<usize> write_page(IoCursor& from, u64 index, usize offset, usize size);
  Result<usize> write_fresh_page(IoCursor& from, u64 index, usize offset, usize size);
  Result<void> zero_part(u64 index, usize from, usize to);
  Result<usize> write_back_run(mm::Page& first);
  bool charge();
  void pin_locked();
  void throttle();

  Inode& inode_;
  PageQuota* quota_ = nullptr;
  SpinLock tree_lock_{Rank::kPageCache};
  unsigned height_ = 0;  // levels of nodes; 0: empty
  Node* root_ = nullptr;
  u64 count_ = 0, dirty_count_ = 0;
  u64 read_end_ = 0;  // where the last fill ended: a miss there is sequential
  List<mm::Page, &mm::Page::node> dirty_;
  Mutex flush_lock_;  // before fill_lock_
  Mutex fill_lock_;
  bool pinned_ = false;  // a VmObject reference is out, and holds the inode; under tree_lock_
  u32 revived_ = 0;
  bool dirty_pinned_ = false;  // on the list of dirty inodes, and holds the inode; under tree_lock_
  bool unlinked_ = false;
  ListNode dirty_node_;
  friend struct PageCacheGlobals;
};

}  // namespace uni::fs
