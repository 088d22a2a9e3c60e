// SPDX-License-Identifier: Apache-2.0
// Invariants: a buffer in the table is found by its block; it is on the idle list exactly when it is clean, valid or
// not, and unreferenced; on the dirty list exactly when `dirty` is not zero. A buffer whose read failed stays invalid
// and is read again by the next user.
#include "kernel/fs/ext4/buffer_cache.hpp"

namespace uni::fs::ext4 {

BufferCache::~BufferCache() {
  if (table_ == nullptr) return;
  for (usize i = 0; i < (usize{1} << (64 - shift_)); ++i) {
    while (table_[i] != nullptr) {
      Buffer& b = *table_[i];
      table_[i] = b.hash_next;
      if (b.idle_node.linked()) b.idle_node.unlink();
      if (b.dirty_node.linked()) b.dirty_node.unlink();
      destroy(b);
    }
  }
  delete[] table_;
}

Result<void> BufferCache::init(u64 device_offset, u32 block_size, usize limit) {
  offset_ = device_offset;
  block_size_ = block_size;
  limit_ = max(limit, usize{64});
  constexpr unsigned kFirstBits = 7;
  table_ = new (std::nothrow) Buffer*[usize{1} << kFirstBits]();
  if (table_ == nullptr) return Errno::NoMemory;
  shift_ = 64 - kFirstBits;
  return {};
}

void BufferCache::destroy(Buffer& buffer) {
  if (buffer.page != nullptr) mm::put_page(*buffer.page);
  delete &buffer;
}

void BufferCache::unhash(Buffer& buffer) {
  Buffer** at = bucket(buffer.block);
  while (*at != &buffer)
    at = &(*at)->hash_next;
  *at = buffer.hash_next;
  --count_;
}

Result<void> BufferCache::grow() {
  const usize old_size = usize{1} << (64 - shift_);
  Buffer** fresh = new (std::nothrow) Buffer*[old_size * 4]();
  if (fresh == nullptr) return Errno::NoMemory;
  LockGuard guard(lock_);
  Buffer** old = exchange(table_, fresh);
  shift_ -= 2;
  for (usize i = 0; i < old_size; ++i) {
    while (Buffer* b = old[i]) {
      old[i] = b->hash_next;
      Buffer** to = bucket(b->block);
      b->hash_next = *to;
      *to = b;
    }
  }
  delete[] old;
  return {};
}

Result<Buffer*> BufferCache::allocate(u64 block, BlockOwner owner) {
  // One idle buffer makes room for the new one; with none idle the cache grows.
  Buffer* victim = nullptr;
  {
    LockGuard guard(lock_);
    if (count_ >= limit_) {
      victim = idle_.pop_front();
      if (victim != nullptr) unhash(*victim);
    }
  }
  if (victim != nullptr) destroy(*victim);
  Buffer* b = new (std::nothrow) Buffer();
  if (b == nullptr) return Errno::NoMemory;
  b->block = block;
  b->owner = owner;
  b->references = 1;
  return b;
}

// Gives the buffer of `block` with a reference, not necessarily valid.
Result<Buffer*> BufferCache::find_or_insert(u64 block, BlockOwner owner) {
  Buffer* fresh = nullptr;
  for (;;) {
    {
      LockGuard guard(lock_);
      for (Buffer* b = *bucket(block); b != nullptr; b = b->hash_next) {
        if (b->block != block) continue;
        if (b->references++ == 0 && b->idle_node.linked()) b->idle_node.unlink();
        if (fresh != nullptr) destroy(*fresh);
        return b;
      }
      if (fresh != nullptr) {
        Buffer** at = bucket(block);
        fresh->hash_next = *at;
        *at = fresh;
        ++count_;
        return fresh;
      }
    }
    if (count_ >= (usize{4} << (64 - shift_))) (void)grow();  // a full table is only slower
    fresh = TRY(allocate(block, owner));
  }
}

Result<void> BufferCache::load(Buffer& buffer) {
  LockGuard guard(buffer.loading);
  if (buffer.valid.load(std::memory_order_acquire)) return {};
  if (buffer.page == nullptr) {
    buffer.page = mm::alloc_page(mm::Zero::kNo);
    if (buffer.page == nullptr) return Errno::NoMemory;
    buffer.data = static_cast<u8*>(mm::address_of(*buffer.page));
  }
  const dev::BlockSegment segment{buffer.data, block_size_};
  TRY(device_.read(offset_ + buffer.block * block_size_, {&segment, 1}));
  if (!format_.check(buffer)) return Errno::Io;
  buffer.valid.store(true, std::memory_order_release);
  return {};
}

Result<BufferRef> BufferCache::read(u64 block, BlockOwner owner) {
  BufferRef ref(*this, *TRY(find_or_insert(block, owner)));
  if (!ref->valid.load(std::memory_order_acquire)) {
    TRY(load(*ref));
  } else if (ref->owner.kind != owner.kind) {
    // Only a corrupt image gives one block two meanings.
    return Errno::Io;
  }
  return ref;
}

Result<BufferRef> BufferCache::create(u64 block, BlockOwner owner) {
  BufferRef ref(*this, *TRY(find_or_insert(block, owner)));
  LockGuard guard(ref->loading);
  if (ref->page == nullptr) {
    ref->page = mm::alloc_page(mm::Zero::kYes);
    if (ref->page == nullptr) return Errno::NoMemory;
    ref->data = static_cast<u8*>(mm::address_of(*ref->page));
  } else {
    // An old meaning of the block that someone still uses: the allocation bitmap lied.
    if (ref->references > 1) return Errno::Io;
    __builtin_memset(ref->data, 0, block_size_);
  }
  ref->owner = owner;
  ref->valid.store(true, std::memory_order_release);
  ref.changed(owner.kind == BlockKind::kInodeTable ? 0 : 1);
  return ref;
}

Result<BufferRef> BufferCache::adopt(u64 block, BlockOwner owner, mm::Page* page) {
  auto found = find_or_insert(block, owner);
  if (!found.ok()) {
    mm::put_page(*page);
    return found.error();
  }
  BufferRef ref(*this, *found.value());
  ref->page = page;
  ref->data = static_cast<u8*>(mm::address_of(*page));
  ref->valid.store(true, std::memory_order_release);
  return ref;
}

void BufferCache::forget(u64 block) {
  Buffer* dead = nullptr;
  {
    LockGuard guard(lock_);
    for (Buffer* b = *bucket(block); b != nullptr; b = b->hash_next) {
      if (b->block != block) continue;
      unhash(*b);
      b->forgotten = true;
      b->dirty.store(0, std::memory_order_relaxed);
      if (b->dirty_node.linked()) {
        b->dirty_node.unlink();
        --dirty_count_;
      }
      if (b->idle_node.linked()) b->idle_node.unlink();
      if (b->references == 0) dead = b;
      break;
    }
  }
  if (dead != nullptr) destroy(*dead);
}

void BufferCache::release(Buffer& buffer) {
  {
    LockGuard guard(lock_);
    if (--buffer.references != 0) return;
    if (!buffer.forgotten) {
      if (buffer.dirty.load(std::memory_order_relaxed) == 0) idle_.push_back(buffer);
      return;
    }
  }
  destroy(buffer);
}

void BufferCache::enlist(Buffer& buffer) {
  LockGuard guard(lock_);
  if (buffer.forgotten || buffer.dirty_node.linked() || buffer.dirty.load(std::memory_order_relaxed) == 0) return;
  dirty_.push_back(buffer);
  ++dirty_count_;
}

// Writes a batch in block order, neighbours in one request.
Result<void> BufferCache::write_sorted(Span<Buffer*> batch) {
  for (usize i = 1; i < batch.size(); ++i) {
    for (usize j = i; j > 0 && batch[j]->block < batch[j - 1]->block; --j)
      swap(batch[j], batch[j - 1]);
  }
  constexpr usize kMaxSegments = 32;
  dev::BlockSegment segments[kMaxSegments];
  for (usize i = 0; i < batch.size();) {
    usize n = 0;
    const u64 first = batch[i]->block;
    while (n < kMaxSegments && i < batch.size() && batch[i]->block == first + n)
      segments[n++] = {batch[i++]->data, block_size_};
    TRY(device_.write(offset_ + first * block_size_, {segments, n}));
  }
  return {};
}

Result<void> BufferCache::flush() {
  LockGuard one_at_a_time(flushing_);
  Errno error{};
  // Lowest kind first; sealing one kind dirties only later kinds.
  for (u8 kind = 0; kind <= static_cast<u8>(BlockKind::kSuper); ++kind) {
    constexpr usize kBatch = 64;
    for (;;) {
      Buffer* batch[kBatch];
      u64 parts[kBatch];
      usize n = 0;
      {
        LockGuard guard(lock_);
        for (Buffer& b : dirty_) {
          if (n == kBatch) break;
          if (static_cast<u8>(b.owner.kind) != kind) continue;
          b.dirty_node.unlink();
          --dirty_count_;
          parts[n] = b.dirty.exchange(0, std::memory_order_relaxed);
          ++b.references;
          batch[n++] = &b;
        }
      }
      if (n == 0) break;
      for (usize i = 0; i < n; ++i)
        format_.seal(*batch[i], parts[i]);
      const auto written = write_sorted({batch, n});
      if (!written.ok()) error = written.error();
      for (usize i = 0; i < n; ++i)
        release(*batch[i]);
    }
  }
  if (error != Errno{}) return error;
  return {};
}

Result<void> BufferCache::balance() {
  if (dirty_count_ < limit_ / 2) return {};
  return flush();
}

}  // namespace uni::fs::ext4
