// SPDX-License-Identifier: Apache-2.0
// The page cache's tree (64 children a node, as high as the highest index needs), its list of reclaimable pages and the
// list of dirty inodes. Nodes are added only under fill_lock_ and freed only with the whole tree, so that reclaim can
// empty a slot under the tree's spin lock alone.
#include "kernel/fs/page_cache_globals.hpp"

#include "kernel/base/late.hpp"
namespace uni::fs {

namespace {
constexpr usize kSlots = 64;

// SAFETY: a slot of the lowest level holds a Page, one of the others a Node.
template <typename T>
T* as(void* slot) {
  return static_cast<T*>(slot);
}
}  // namespace

struct PageCache::Node {
  void* slots[kSlots];
};

constinit SpinLock PageCacheGlobals::lock{Rank::kLeaf};
constinit std::atomic<u64> PageCacheGlobals::dirty_pages{0};

PageCacheGlobals::Lru& PageCacheGlobals::lru() {
  static constinit Late<Lru> made;
  return made.get();
}

PageCacheGlobals::DirtyInodes& PageCacheGlobals::dirty_inodes() {
  static constinit Late<DirtyInodes> made;
  return made.get();
}

mm::Page* PageCache::find(u64 index) const {
  if (height_ == 0 || (height_ * kBits < 64 && (index >> (height_ * kBits)) != 0)) return nullptr;
  Node* node = root_;
  for (unsigned level = height_ - 1; level > 0; --level) {
    node = as<Node>(node->slots[(index >> (level * kBits)) % kSlots]);
    if (node == nullptr) return nullptr;
  }
  return as<mm::Page>(node->slots[index % kSlots]);
}

mm::Page* PageCache::find_next(u64 first, u64 last) const {
  u64 index = first;
  while (index <= last) {
    if (height_ == 0 || (height_ * kBits < 64 && (index >> (height_ * kBits)) != 0)) return nullptr;
    Node* node = root_;
    unsigned level = height_ - 1;
    while (level > 0 && node != nullptr) {
      Node* below = as<Node>(node->slots[(index >> (level * kBits)) % kSlots]);
      if (below == nullptr) break;
      node = below;
      --level;
    }
    if (level == 0) {
      if (void* slot = node->slots[index % kSlots]) return as<mm::Page>(slot);
    }
    const u64 step = u64{1} << (level * kBits);  // nothing in the rest of this subtree
    const u64 next = (index / step + 1) * step;
    if (next <= index) return nullptr;
    index = next;
  }
  return nullptr;
}

PageCache::Census PageCache::census(u64 first, u64 last) {
  constexpr u64 kAtOnce = 4096;  // pages under one hold of the lock
  Census out;
  for (u64 index = first; index <= last;) {
    LockGuard guard(tree_lock_);
    for (const u64 stop = out.cached + kAtOnce; out.cached < stop;) {
      const mm::Page* page = index <= last ? find_next(index, last) : nullptr;
      if (page == nullptr || page->index > last) return out;
      const u8 flags = page->flags.load(std::memory_order_relaxed);
      ++out.cached;
      if ((flags & mm::kPageDirty) != 0) ++out.dirty;
      if ((flags & mm::kPageWriteback) != 0) ++out.writeback;
      if (page->index == ~u64{0}) return out;
      index = page->index + 1;
    }
  }
  return out;
}

Result<void*> PageCache::slot_for(u64 index) {
  while (height_ == 0 || (height_ * kBits < 64 && (index >> (height_ * kBits)) != 0)) {
    auto* above = new (std::nothrow) Node{};
    if (above == nullptr) return Errno::NoMemory;
    LockGuard guard(tree_lock_);
    above->slots[0] = root_;
    root_ = above;
    ++height_;
  }
  Node* node = root_;
  for (unsigned level = height_ - 1; level > 0; --level) {
    void*& slot = node->slots[(index >> (level * kBits)) % kSlots];
    if (slot == nullptr) {
      auto* below = new (std::nothrow) Node{};
      if (below == nullptr) return Errno::NoMemory;
      LockGuard guard(tree_lock_);
      slot = below;
    }
    node = as<Node>(slot);
  }
  return static_cast<void*>(&node->slots[index % kSlots]);
}

Result<void> PageCache::insert(u64 index, mm::Page& page, State state) {
  void** slot = static_cast<void**>(TRY(slot_for(index)));
  LockGuard guard(tree_lock_);
  ASSERT(*slot == nullptr);
  *slot = &page;
  page.object = this;
  page.index = index;
  page.flags.store(mm::kPageUpToDate | mm::kPageCached, std::memory_order_relaxed);
  ++count_;
  if (quota_ != nullptr) return {};
  if (state == State::kDirty) {
    mark_dirty(page);
  } else {
    LockGuard global(PageCacheGlobals::lock);
    PageCacheGlobals::lru().push_back(page);
  }
  return {};
}

// Takes a page out; the tree's reference becomes the caller's.
void PageCache::remove(mm::Page& page) {
  Node* node = root_;
  for (unsigned level = height_ - 1; level > 0; --level)
    node = as<Node>(node->slots[(page.index >> (level * kBits)) % kSlots]);
  node->slots[page.index % kSlots] = nullptr;
  --count_;
  page.object = nullptr;
  if ((page.flags.load(std::memory_order_relaxed) & mm::kPageDirty) != 0) {
    dirty_.remove(page);
    --dirty_count_;
    PageCacheGlobals::dirty_pages.fetch_sub(1, std::memory_order_relaxed);
  } else if (page.node.linked()) {
    LockGuard global(PageCacheGlobals::lock);
    page.node.unlink();
  }
  page.flags.store(0, std::memory_order_relaxed);
}

void PageCache::drop(u64 first, u64 last) {
  if (mapped()) unmap_pages(first, last);
  for (u64 from = first;;) {
    mm::Page* page = nullptr;
    {
      LockGuard guard(tree_lock_);
      page = find_next(from, last);
      if (page == nullptr) break;
      from = page->index;
      remove(*page);
    }
    if (quota_ != nullptr) quota_->used.fetch_sub(1, std::memory_order_relaxed);
    mm::put_page(*page);
  }
  // A store through a mapping can have brought a page's translation back until it left the tree.
  if (mapped()) unmap_pages(first, last);
}

void PageCache::free_nodes() {
  Node* path[64 / kBits + 2];
  usize position[64 / kBits + 2];
  unsigned depth = 0;
  if (height_ == 0) return;
  path[0] = root_;
  position[0] = 0;
  const unsigned leaf = height_ - 1;
  for (;;) {
    Node* node = path[depth];
    if (depth < leaf && position[depth] < kSlots) {
      void* below = node->slots[position[depth]++];
      if (below == nullptr) continue;
      ++depth;
      path[depth] = as<Node>(below);
      position[depth] = 0;
      continue;
    }
    delete node;
    if (depth == 0) break;
    --depth;
  }
  root_ = nullptr;
  height_ = 0;
}

void PageCache::mark_dirty(mm::Page& page) {
  if (page.node.linked()) {
    LockGuard global(PageCacheGlobals::lock);
    page.node.unlink();
  }
  page.flags.fetch_or(mm::kPageDirty, std::memory_order_relaxed);
  dirty_.push_back(page);
  ++dirty_count_;
  PageCacheGlobals::dirty_pages.fetch_add(1, std::memory_order_relaxed);
  pin_locked();
}

// Dirty pages of a file with a name keep its inode until they are written. Needs tree_lock_.
void PageCache::pin_locked() {
  if (dirty_pinned_ || unlinked_ || dirty_count_ == 0) return;
  dirty_pinned_ = true;
  inode_.ref();
  LockGuard global(PageCacheGlobals::lock);
  PageCacheGlobals::dirty_inodes().push_back(*this);
}

// Gives clean pages that nobody uses back. Runs wherever memory is allocated, so it only tries its locks.
usize PageCache::reclaim(usize wanted) {
  usize freed = 0;
  while (freed < wanted) {
    List<mm::Page, &mm::Page::node> victims;
    if (!PageCacheGlobals::lock.try_lock()) break;
    auto& lru = PageCacheGlobals::lru();
    usize taken = 0;
    for (usize looked = 0; looked < 256 && taken < 32; ++looked) {
      mm::Page* page = lru.front();
      if (page == nullptr) break;
      lru.remove(*page);
      // SAFETY: a listed page belongs to a living PageCache: its destructor takes its pages off the list first.
      auto* cache = static_cast<PageCache*>(page->object);
      const bool used = (page->flags.load(std::memory_order_relaxed) & mm::kPageReferenced) != 0;
      if (used || page->refs.load(std::memory_order_relaxed) != 1 || !cache->tree_lock_.try_lock()) {
        page->flags.fetch_and(static_cast<u8>(~mm::kPageReferenced), std::memory_order_relaxed);
        lru.push_back(*page);
        continue;
      }
      if (page->refs.load(std::memory_order_acquire) == 1) {
        cache->remove(*page);
        victims.push_back(*page);
        ++taken;
      } else {
        lru.push_back(*page);
      }
      cache->tree_lock_.unlock();
    }
    PageCacheGlobals::lock.unlock();
    if (taken == 0) break;
    while (mm::Page* page = victims.pop_front())
      mm::put_page(*page);
    freed += taken;
  }
  return freed;
}

}  // namespace uni::fs
