// SPDX-License-Identifier: Apache-2.0
// Metadata blocks in memory, found by block number. A block is checked when it is read and sealed (its checksum
// computed) when it is written back, so a change costs no more than the change. Buffers in use stay; clean ones that
// nobody uses are dropped, oldest first, above a limit.
#pragma once

#include <atomic>

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/dev/block.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::fs::ext4 {

class BufferCache;

// What a block holds, which decides how it is checked and sealed. In write-back order: sealing a bitmap changes its
// group descriptor, sealing a descriptor nothing else.
enum class BlockKind : u8 {
  kPlain,  // no checksum (symlink targets)
  kInodeTable,
  kDirectory,
  kExtents,
  kXattr,
  kBlockBitmap,
  kInodeBitmap,
  kDescriptors,
  kSuper,
};

// Whose block it is. `seed` begins its checksum; `number` is the group for bitmaps, the block within the directory
// (or ~0 for what cannot be an index block) for directories.
struct BlockOwner {
  BlockKind kind;
  u32 seed = 0;
  u32 number = 0;
};

struct Buffer {
  u64 block = 0;
  u8* data = nullptr;
  mm::Page* page = nullptr;
  BlockOwner owner{BlockKind::kPlain};
  // Parts changed since write-back: inodes of a table block, descriptors of a descriptor block; else bit 0.
  std::atomic<u64> dirty{0};
  std::atomic<bool> valid{false};
  bool forgotten = false;  // out of the hash; freed with its last reference
  u32 references = 0;
  Mutex loading;
  Buffer* hash_next = nullptr;
  ListNode idle_node;   // clean and unreferenced, oldest first
  ListNode dirty_node;  // waits for write-back
};

// A counted reference to a buffer.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(BufferCache& cache, Buffer& buffer) : cache_(&cache), buffer_(&buffer) {}
  BufferRef(BufferRef&& o) noexcept : cache_(o.cache_), buffer_(exchange(o.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef&& o) noexcept {
    swap(cache_, o.cache_);
    swap(buffer_, o.buffer_);
    return *this;
  }
  ~BufferRef() { reset(); }
  void reset();
  Buffer& operator*() const { return *buffer_; }
  Buffer* operator->() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }
  u8* data() const { return buffer_->data; }
  // The T at byte `offset` of the block. Needs: it lies within the block.
  template <typename T>
  T* at(usize offset) const {
    // SAFETY: callers pass offsets inside the block, aligned as the format aligns them; -fno-strict-aliasing.
    return reinterpret_cast<T*>(buffer_->data + offset);
  }
  // Says that the content was changed. Cheap; does not block.
  void changed(u64 parts = 1) const;

 private:
  BufferCache* cache_ = nullptr;
  Buffer* buffer_ = nullptr;
};

// Knows the format: implemented by the file system.
class BlockFormat {
 public:
  // Is the content what `owner` expects? False makes the read an Io error.
  virtual bool check(const Buffer& buffer) = 0;
  // Computes the checksums of the dirty parts.
  virtual void seal(Buffer& buffer, u64 parts) = 0;

 protected:
  ~BlockFormat() = default;
};

class BufferCache {
 public:
  BufferCache(dev::BlockDevice& device, BlockFormat& format) : device_(device), format_(format) {}
  ~BufferCache();
  BufferCache(const BufferCache&) = delete;
  BufferCache& operator=(const BufferCache&) = delete;

  // Where block 0 begins on the device, and the size of blocks (1 to 4 KiB). Once, before anything else.
  Result<void> init(u64 device_offset, u32 block_size, usize limit);

  // The block's content, checked for `owner`. May block. Errors: Io, NoMemory.
  Result<BufferRef> read(u64 block, BlockOwner owner);
  // The block with content zero, not read from the device, dirty. For blocks just allocated.
  Result<BufferRef> create(u64 block, BlockOwner owner);
  // Puts `page`, which holds the content of `block`, into the cache. Takes over the page.
  Result<BufferRef> adopt(u64 block, BlockOwner owner, mm::Page* page);
  // The block was freed: its content must not be written any more.
  void forget(u64 block);

  // Writes all that is dirty. May block. Errors: Io.
  Result<void> flush();
  // Flushes when much is dirty. Needs: nothing locked that flush() may need.
  Result<void> balance();
  u32 block_size() const { return block_size_; }

 private:
  friend class BufferRef;
  Result<Buffer*> find_or_insert(u64 block, BlockOwner owner);
  Result<Buffer*> allocate(u64 block, BlockOwner owner);
  Result<void> load(Buffer& buffer);
  Result<void> grow();
  void release(Buffer& buffer);
  void enlist(Buffer& buffer);
  void unhash(Buffer& buffer);
  void destroy(Buffer& buffer);
  Buffer** bucket(u64 block) { return &table_[(block * 0x9E3779B97F4A7C15ull) >> shift_]; }
  Result<void> write_sorted(Span<Buffer*> batch);

  dev::BlockDevice& device_;
  BlockFormat& format_;
  u64 offset_ = 0;
  u32 block_size_ = 0;
  SpinLock lock_{Rank::kBlock};  // guards the table, the lists and the reference counts
  Mutex flushing_;
  Buffer** table_ = nullptr;
  unsigned shift_ = 64;
  usize count_ = 0, limit_ = 0, dirty_count_ = 0;
  List<Buffer, &Buffer::idle_node> idle_;
  List<Buffer, &Buffer::dirty_node> dirty_;
};

inline void BufferRef::reset() {
  if (buffer_ != nullptr) cache_->release(*exchange(buffer_, nullptr));
}
inline void BufferRef::changed(u64 parts) const {
  // A block already dirty takes no lock. The exchange orders the content's change before a write-back's look at it.
  if (buffer_->dirty.fetch_or(parts, std::memory_order_seq_cst) == 0 && parts != 0) cache_->enlist(*buffer_);
}

}  // namespace uni::fs::ext4
