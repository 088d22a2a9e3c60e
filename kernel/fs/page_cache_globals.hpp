// SPDX-License-Identifier: Apache-2.0
// What all page caches share: the list of clean pages, oldest first, and the inodes with dirty pages. A page is on the
// clean list, on its cache's dirty list, or (while it is written, or in a memory file) on none.
#pragma once

#include "kernel/fs/page_cache.hpp"

namespace uni::fs {

struct PageCacheGlobals {
  using Lru = List<mm::Page, &mm::Page::node>;
  using DirtyInodes = List<PageCache, &PageCache::dirty_node_>;
  static SpinLock lock;  // taken last, inside a tree's
  static Lru& lru();
  static DirtyInodes& dirty_inodes();
  static std::atomic<u64> dirty_pages;
  // More dirty pages than this, and a writer writes back its own file.
  static u64 dirty_limit();
};

}  // namespace uni::fs
