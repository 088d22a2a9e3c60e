// SPDX-License-Identifier: Apache-2.0
// The page cache: writing, truncation and write-back.
#include "kernel/fs/page_cache_globals.hpp"

namespace uni::fs {

namespace {
constexpr usize kRun = 64;  // pages written in one call

void* bytes(mm::Page& page, usize offset) {
  return static_cast<char*>(mm::address_of(page)) + offset;
}
}  // namespace

u64 PageCacheGlobals::dirty_limit() {
  static constinit std::atomic<u64> limit{0};
  u64 known = limit.load(std::memory_order_relaxed);
  if (known == 0) {
    known = mm::memory_stats().total_pages / 4 + 1;
    limit.store(known, std::memory_order_relaxed);
  }
  return known;
}

// Too much is dirty: the writer pays, first with its own pages. Errors stay with the pages, for fsync.
void PageCache::throttle() {
  const auto over = [] {
    return PageCacheGlobals::dirty_pages.load(std::memory_order_relaxed) > PageCacheGlobals::dirty_limit();
  };
  if (!over()) return;
  flush().take();
  if (over()) flush_all().take();
}

// Idempotent. The store reserves room first, so that write-back cannot run out of it.
Result<void> PageCache::make_dirty(mm::Page& page) {
  if (quota_ != nullptr || (page.flags.load(std::memory_order_relaxed) & mm::kPageDirty) != 0) return {};
  TRY(inode_.prepare_write(page.index));
  LockGuard guard(tree_lock_);
  if (page.object == this && (page.flags.load(std::memory_order_relaxed) & mm::kPageDirty) == 0) mark_dirty(page);
  return {};
}

Result<usize> PageCache::write_page(IoCursor& from, u64 index, usize offset, usize size) {
  mm::Page* page = get(index);
  if (page == nullptr) {
    const bool whole = offset == 0 && size == kPageSize;
    if (whole || quota_ != nullptr || (index << kPageShift) >= inode_.size())
      return write_fresh_page(from, index, offset, size);
    page = TRY(ensure(index, 1));
  }
  Result<void> dirty = make_dirty(*page);
  Result<usize> got = dirty.ok() ? from.take(bytes(*page, offset), size) : Result<usize>(dirty.error());
  // Write-back may have begun in between: the new bytes need another.
  if (got.ok()) dirty = make_dirty(*page);
  mm::put_page(*page);
  if (!dirty.ok()) return dirty.error();
  return got;
}

// A page that is not there and needs no reading: it is filled first and put into the tree then, so that nobody sees it
// half full. Where somebody else was faster, the bytes are copied into theirs.
Result<usize> PageCache::write_fresh_page(IoCursor& from, u64 index, usize offset, usize size) {
  mm::Page* fresh = mm::alloc_page(mm::Zero::kNo);
  if (fresh == nullptr) {
    flush_all().take();  // what is written can be reclaimed
    fresh = mm::alloc_page(mm::Zero::kNo);
    if (fresh == nullptr) return Errno::NoMemory;
  }
  Result<usize> got = from.take(bytes(*fresh, offset), size);
  if (!got.ok()) {
    mm::put_page(*fresh);
    return got;
  }
  const usize length = got.value();
  __builtin_memset(bytes(*fresh, 0), 0, offset);
  __builtin_memset(bytes(*fresh, offset + length), 0, kPageSize - offset - length);
  const bool needs_old = length < size && quota_ == nullptr && (index << kPageShift) < inode_.size();
  if (!needs_old) {
    LockGuard guard(fill_lock_);
    mm::Page* there = get(index);
    if (there == nullptr) {
      Result<void> in =
          quota_ != nullptr ? (charge() ? Result<void>() : Result<void>(Errno::NoSpace)) : inode_.prepare_write(index);
      if (in.ok()) in = insert(index, *fresh, State::kDirty);
      if (!in.ok()) {
        mm::put_page(*fresh);
        return in.error();
      }
      return length;
    }
    mm::put_page(*there);
  }
  Result<mm::Page*> base = ensure(index, 1);
  Result<void> dirty = base.ok() ? make_dirty(*base.value()) : Result<void>(base.error());
  if (dirty.ok()) {
    __builtin_memcpy(bytes(*base.value(), offset), bytes(*fresh, offset), length);
    dirty = make_dirty(*base.value());
  }
  if (base.ok()) mm::put_page(*base.value());
  mm::put_page(*fresh);
  if (!dirty.ok()) return dirty.error();
  return length;
}

Result<usize> PageCache::write(IoCursor& from, u64 offset) {
  usize done = 0;
  Errno error{};
  while (from.remaining() > 0) {
    const usize in = (offset + done) % kPageSize;
    const usize length = min(kPageSize - in, from.remaining());
    Result<usize> got = write_page(from, (offset + done) >> kPageShift, in, length);
    if (!got.ok()) {
      error = got.error();
      break;
    }
    done += got.value();
    if (got.value() < length) break;
  }
  if (done == 0) return error == Errno{} ? Result<usize>(usize{0}) : Result<usize>(error);
  if (offset + done > inode_.size()) TRY(inode_.set_size(offset + done));
  inode_.note_modified();
  throttle();
  return done;
}

// Zeroes a part of a page that may hold data.
Result<void> PageCache::zero_part(u64 index, usize from, usize to) {
  if (from >= to || (index << kPageShift) >= inode_.size()) return {};
  if (quota_ != nullptr && next_present(index) != index) return {};
  mm::Page* page = TRY(ensure(index, 1));
  Result<void> dirty = make_dirty(*page);
  if (dirty.ok()) {
    __builtin_memset(bytes(*page, from), 0, to - from);
    dirty = make_dirty(*page);
  }
  mm::put_page(*page);
  return dirty;
}

Result<void> PageCache::truncate(u64 size) {
  const u64 old = inode_.size();
  // Behind the end a page is zero: what a mapping stored there must not come back when the file grows.
  const u64 edge = min(size, old);
  if (edge % kPageSize != 0 && size != old) TRY(zero_part(edge >> kPageShift, edge % kPageSize, kPageSize));
  LockGuard flushing(flush_lock_);
  LockGuard filling(fill_lock_);
  if (size < old) drop((size + kPageSize - 1) >> kPageShift, ~u64{0});
  return inode_.set_size(size);
}

Result<void> PageCache::punch(int mode, u64 offset, u64 length) {
  const u64 end = offset + length;
  const u64 first = (offset + kPageSize - 1) >> kPageShift;
  const u64 last = end >> kPageShift;  // exclusive
  if (first > last) {
    TRY(zero_part(offset >> kPageShift, offset % kPageSize, end % kPageSize));
  } else {
    if (offset % kPageSize != 0) TRY(zero_part(first - 1, offset % kPageSize, kPageSize));
    TRY(zero_part(last, 0, end % kPageSize));
  }
  LockGuard flushing(flush_lock_);
  LockGuard filling(fill_lock_);
  if (first < last) drop(first, last - 1);
  return inode_.allocate(mode, offset, length);
}

// Writes a dirty page and the dirty ones around it. Needs flush_lock_; entered with tree_lock_, left without.
Result<usize> PageCache::write_back_run(mm::Page& first) {
  mm::Page* pages[kRun];
  usize count = 0;
  const auto dirty = [](const mm::Page* page) {
    return page != nullptr && (page->flags.load(std::memory_order_relaxed) & mm::kPageDirty) != 0;
  };
  u64 index = first.index;
  while (index > 0 && first.index - index < kRun / 2 && dirty(find(index - 1)))
    --index;
  for (mm::Page* page = find(index); dirty(page) && count < kRun; page = find(index + count)) {
    dirty_.remove(*page);
    --dirty_count_;
    page->flags.fetch_and(static_cast<u8>(~mm::kPageDirty), std::memory_order_relaxed);
    page->flags.fetch_or(mm::kPageWriteback, std::memory_order_relaxed);
    mm::get_page(*page);
    pages[count++] = page;
  }
  tree_lock_.unlock();
  PageCacheGlobals::dirty_pages.fetch_sub(count, std::memory_order_relaxed);
  // A store from now on faults, and marks the page dirty again.
  for (usize i = 0; mapped() && i < count; ++i)
    write_protect(index + i);
  const Result<void> written = inode_.write_pages(index, {pages, count});
  tree_lock_.lock();
  for (usize i = 0; i < count; ++i) {
    mm::Page& page = *pages[i];
    page.flags.fetch_and(static_cast<u8>(~mm::kPageWriteback), std::memory_order_relaxed);
    if (page.object != this || (page.flags.load(std::memory_order_relaxed) & mm::kPageDirty) != 0) continue;
    if (!written.ok()) {
      mark_dirty(page);
      continue;
    }
    LockGuard global(PageCacheGlobals::lock);
    PageCacheGlobals::lru().push_back(page);
  }
  tree_lock_.unlock();
  for (usize i = 0; i < count; ++i)
    mm::put_page(*pages[i]);
  if (!written.ok()) return written.error();
  return count;
}

// Needs: the caller holds the inode.
Result<void> PageCache::flush() {
  if (quota_ != nullptr) return {};
  Errno error{};
  {
    LockGuard flushing(flush_lock_);
    // Bounded by what is dirty now: a busy writer does not keep it here.
    u64 left = dirty_pages();
    while (left > 0) {
      tree_lock_.lock();
      mm::Page* oldest = dirty_.front();
      if (oldest == nullptr) {
        tree_lock_.unlock();
        break;
      }
      Result<usize> written = write_back_run(*oldest);
      if (!written.ok()) {
        error = written.error();
        break;
      }
      left -= min(left, u64{written.value()});
    }
  }
  bool unpinned = false;
  {
    LockGuard guard(tree_lock_);
    if (dirty_pinned_ && dirty_count_ == 0) {
      LockGuard global(PageCacheGlobals::lock);
      dirty_node_.unlink();
      dirty_pinned_ = false;
      unpinned = true;
    }
  }
  if (unpinned) inode_.unref();
  if (error != Errno{}) return error;
  return {};
}

void PageCache::set_unlinked(bool unlinked) {
  bool unpinned = false;
  {
    LockGuard guard(tree_lock_);
    unlinked_ = unlinked;
    if (unlinked && dirty_pinned_) {
      LockGuard global(PageCacheGlobals::lock);
      dirty_node_.unlink();
      dirty_pinned_ = false;
      unpinned = true;
    }
    pin_locked();
  }
  if (unpinned) inode_.unref();
}

Result<void> PageCache::flush_all() {
  Errno first_error{};
  usize count = 0;
  {
    LockGuard guard(PageCacheGlobals::lock);
    for (PageCache& cache : PageCacheGlobals::dirty_inodes()) {
      (void)cache;
      ++count;
    }
  }
  for (; count > 0; --count) {
    RefPtr<Inode> inode;
    PageCache* cache = nullptr;
    {
      LockGuard guard(PageCacheGlobals::lock);
      auto& dirty = PageCacheGlobals::dirty_inodes();
      cache = dirty.front();
      if (cache == nullptr) break;
      dirty.remove(*cache);
      dirty.push_back(*cache);
      inode = RefPtr<Inode>(&cache->inode_);
    }
    const Result<void> flushed = cache->flush();
    if (!flushed.ok() && first_error == Errno{}) first_error = flushed.error();
  }
  if (first_error != Errno{}) return first_error;
  return {};
}

}  // namespace uni::fs
