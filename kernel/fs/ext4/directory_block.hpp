// SPDX-License-Identifier: Apache-2.0
// Directory blocks: walking entries safely, and the checksums at their ends. A block's owner number is 1 where the
// directory is indexed (so that the block may be a node of the index), and 2 for block 0 of such a directory.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/fs/ext4/buffer_cache.hpp"
#include "kernel/fs/ext4/layout.hpp"

namespace uni::fs::ext4 {

enum DirBlockRole : u32 { kPlainDir = 0, kMaybeNode = 1, kIndexRoot = 2 };

// Index entries within a block.
struct IndexView {
  u8* block = nullptr;
  usize offset = 0;  // of the entries
  IndexEntry* entries() const { return reinterpret_cast<IndexEntry*>(block + offset); }
  u32 limit() const { return entries()[0].hash & 0xFFFF; }
  u32 count() const { return entries()[0].hash >> 16; }
  void set_limit_count(u32 limit, u32 count) { entries()[0].hash = limit | count << 16; }
};

// Where the index entries of a block begin, or 0 where it holds ordinary entries.
usize index_offset(const u8* block, u32 block_size, u32 role);

bool directory_checksum_ok(const Buffer& buffer, u32 block_size);
void seal_directory(Buffer& buffer, u32 block_size);

// The entries of a block, in order. `end` excludes the checksum tail. next() gives null at the end; damaged() then says
// whether the end was reached properly.
class EntryWalk {
 public:
  EntryWalk(u8* block, usize end, usize from = 0) : block_(block), at_(from), end_(end) {}
  DirEntry* next() {
    if (at_ + sizeof(DirEntry) > end_) {
      damaged_ = at_ != end_;
      return nullptr;
    }
    auto* e = reinterpret_cast<DirEntry*>(block_ + at_);
    const usize length = e->record_length;
    if (length < sizeof(DirEntry) + e->name_length || length > end_ - at_ || length % 4 != 0) {
      damaged_ = true;
      return nullptr;
    }
    offset_ = at_;
    at_ += length;
    return e;
  }
  bool damaged() const { return damaged_; }
  usize offset() const { return offset_; }  // of the last entry given
  usize position() const { return at_; }    // behind it

 private:
  u8* block_;
  usize at_;
  usize end_;
  usize offset_ = 0;
  bool damaged_ = false;
};

inline const char* name_of(const DirEntry& e) {
  return reinterpret_cast<const char*>(&e + 1);
}
inline char* name_of(DirEntry& e) {
  return reinterpret_cast<char*>(&e + 1);
}
inline bool same_name(const DirEntry& e, StringView name) {
  return e.name_length == name.size() && __builtin_memcmp(name_of(e), name.data(), name.size()) == 0;
}
// Bytes that an entry with a name of this length takes.
constexpr usize entry_bytes(usize name_length) {
  return (sizeof(DirEntry) + name_length + 3) & ~usize{3};
}

}  // namespace uni::fs::ext4
