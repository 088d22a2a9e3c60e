// SPDX-License-Identifier: Apache-2.0
// The page cache: reading, mapping, and its lifetime. Writing and write-back are in page_write.cpp.
#include "kernel/fs/page_cache.hpp"

#include "kernel/fs/page_cache_globals.hpp"

namespace uni::fs {

namespace {
constexpr u64 pages_of(u64 size) {
  return (size >> kPageShift) + ((size % kPageSize) != 0 ? 1 : 0);
}
}  // namespace

void PageCache::start() {
  mm::set_reclaim(&PageCache::reclaim);
}

PageCache::~PageCache() {
  release();
}

void PageCache::release() {
  ASSERT(!dirty_pinned_ && !pinned_);
  drop(0, ~u64{0});
  free_nodes();
}

void PageCache::wipe() {
  ASSERT(!dirty_pinned_ && !pinned_);
  for (u64 index = 0; mm::Page* page = get(next_present(index)); ++index) {
    index = page->index;
    __builtin_memset(mm::address_of(*page), 0, kPageSize);
    mm::put_page(*page);
  }
}

Result<void> PageCache::fill_range(u64 first, u64 last) {
  for (u64 index = first; index <= last; ++index)
    mm::put_page(*TRY(ensure(index, 1)));
  return {};
}

mm::Page* PageCache::get(u64 index) {
  LockGuard guard(tree_lock_);
  mm::Page* page = find(index);
  if (page == nullptr) return nullptr;
  mm::get_page(*page);
  if ((page->flags.load(std::memory_order_relaxed) & mm::kPageReferenced) == 0)
    page->flags.fetch_or(mm::kPageReferenced, std::memory_order_relaxed);
  return page;
}

Result<mm::Page*> PageCache::ensure(u64 index, usize want_pages) {
  for (unsigned attempt = 0;; ++attempt) {
    if (mm::Page* page = get(index)) return page;
    {
      LockGuard guard(fill_lock_);
      if (mm::Page* page = get(index)) return page;
      Result<mm::Page*> filled = quota_ != nullptr ? fill_hole(index) : fill(index, want_pages);
      if (filled.ok() || filled.error() != Errno::NoMemory || attempt != 0 || quota_ != nullptr) return filled;
    }
    flush_all().take();  // what is written can be reclaimed; errors stay with their pages
  }
}

bool PageCache::charge() {
  if (quota_->used.fetch_add(1, std::memory_order_relaxed) < quota_->limit) return true;
  quota_->used.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

Result<mm::Page*> PageCache::fill_hole(u64 index) {
  if (!charge()) return Errno::NoSpace;
  mm::Page* page = mm::alloc_page(mm::Zero::kYes);
  Result<void> in = page == nullptr ? Result<void>(Errno::NoMemory) : insert(index, *page, State::kClean);
  if (!in.ok()) {
    quota_->used.fetch_sub(1, std::memory_order_relaxed);
    if (page != nullptr) mm::put_page(*page);
    return in.error();
  }
  mm::get_page(*page);
  return page;
}

// Reads `index` and up to want_pages - 1 absent ones behind it; a reader that goes on where the last one ended gets the
// whole read-ahead.
Result<mm::Page*> PageCache::fill(u64 index, usize want_pages) {
  mm::Page* pages[kReadAhead];
  const u64 end = pages_of(inode_.size());
  usize most = index == read_end_ || index == 0 ? kReadAhead : min(max(want_pages, usize{1}), kReadAhead);
  if (index + most > end) most = index < end ? static_cast<usize>(end - index) : 1;
  {
    LockGuard guard(tree_lock_);
    const mm::Page* next = find_next(index, index + most - 1);
    if (next != nullptr) most = static_cast<usize>(next->index - index);
  }
  usize count = 0;
  while (count < most) {
    pages[count] = mm::alloc_page(mm::Zero::kNo);
    if (pages[count] == nullptr) break;
    ++count;
  }
  if (count == 0) return Errno::NoMemory;
  Result<void> got = inode_.read_pages(index, {pages, count});
  if (!got.ok() && count > 1) {
    while (count > 1)
      mm::put_page(*pages[--count]);
    got = inode_.read_pages(index, {pages, 1});
  }
  usize kept = 0;
  while (got.ok() && kept < count) {
    got = insert(index + kept, *pages[kept], State::kClean);
    if (got.ok()) ++kept;
  }
  const Errno error = got.ok() ? Errno{} : got.error();
  for (usize i = kept; i < count; ++i)
    mm::put_page(*pages[i]);
  if (kept == 0) return error;
  read_end_ = index + kept;
  mm::get_page(*pages[0]);
  return pages[0];
}

Result<usize> PageCache::read(IoCursor& to, u64 offset) {
  const u64 size = inode_.size();
  usize done = 0;
  while (to.remaining() > 0 && offset < size) {
    const u64 index = offset >> kPageShift;
    const usize in = offset % kPageSize;
    const usize length = static_cast<usize>(min(u64{min(kPageSize - in, to.remaining())}, size - offset));
    mm::Page* page = get(index);
    if (page == nullptr && quota_ == nullptr) {
      Result<mm::Page*> filled = ensure(index, pages_of(in + to.remaining()));
      if (!filled.ok()) return done != 0 ? Result<usize>(done) : Result<usize>(filled.error());
      page = filled.value();
    }
    Result<usize> got =
        page == nullptr ? to.put_zero(length) : to.put(static_cast<const char*>(mm::address_of(*page)) + in, length);
    if (page != nullptr) mm::put_page(*page);
    if (!got.ok()) return done != 0 ? Result<usize>(done) : uni::move(got);
    done += got.value();
    offset += got.value();
    if (got.value() < length) break;
  }
  return done;
}

void PageCache::prefetch(u64 first, u64 count) {
  const u64 end = pages_of(inode_.size());
  for (u64 index = first; index < end && index < first + count;) {
    mm::Page* page = get(index);
    if (page == nullptr) {
      if (quota_ != nullptr) return;
      Result<mm::Page*> filled = ensure(index, kReadAhead);
      if (!filled.ok()) return;
      page = filled.value();
    }
    mm::put_page(*page);
    ++index;
  }
}

bool PageCache::holds(u64 offset, u64 size) {
  const u64 end = inode_.size();
  if (quota_ != nullptr || offset >= end || size == 0) return true;
  const u64 last = (offset + min(size, end - offset) - 1) >> kPageShift;
  LockGuard guard(tree_lock_);
  for (u64 index = offset >> kPageShift; index <= last; ++index) {
    if (find(index) == nullptr) return false;
  }
  return true;
}

u64 PageCache::next_present(u64 index) {
  LockGuard guard(tree_lock_);
  const mm::Page* page = find_next(index, ~u64{0});
  return page != nullptr ? page->index : ~u64{0};
}

Result<mm::Page*> PageCache::fault(u64 index, mm::Access access) {
  if (index >= pages_of(inode_.size())) return Errno::Range;
  mm::Page* page = TRY(ensure(index, kFaultAround));
  if (access == mm::Access::kRead) return page;
  const Result<void> dirty = make_dirty(*page);
  bool gone = false;
  {
    LockGuard guard(tree_lock_);
    gone = page->object != this;
  }
  if (!dirty.ok() || gone) {
    mm::put_page(*page);
    return dirty.ok() ? Errno::Range : dirty.error();
  }
  inode_.note_modified();
  throttle();
  return page;
}

// The count of a PageCache counts the references that mappings hold; the one it is born with is the idle state. While
// it is pinned, it holds the inode.
RefPtr<mm::VmObject> PageCache::vm_object() {
  LockGuard guard(tree_lock_);
  if (!pinned_) {
    pinned_ = true;
    inode_.ref();
    return RefPtr<mm::VmObject>::adopt(this);
  }
  if (!try_ref()) {
    // The last one is just going, and waits for the lock in last_unref: this one takes its place.
    ++revived_;
    ref();
  }
  return RefPtr<mm::VmObject>::adopt(this);
}

void PageCache::last_unref() {
  {
    LockGuard guard(tree_lock_);
    if (revived_ != 0) {
      --revived_;
      return;
    }
    ref();
    pinned_ = false;
  }
  inode_.unref();
}

}  // namespace uni::fs
