// SPDX-License-Identifier: Apache-2.0
#include "kernel/fs/ext4/directory_block.hpp"

#include "kernel/base/crc32c.hpp"

namespace uni::fs::ext4 {
namespace {

// Index blocks: the checksum covers the entries in use, the tail lies behind the last possible one.
bool index_tail(const u8* block, u32 block_size, usize offset, u32& covered, usize& tail) {
  const IndexView view{const_cast<u8*>(block), offset};
  const usize end = offset + usize{view.limit()} * sizeof(IndexEntry);
  if (view.count() > view.limit() || end + sizeof(IndexTail) > block_size) return false;
  covered = static_cast<u32>(offset + view.count() * sizeof(IndexEntry));
  tail = end;
  return true;
}

u32 index_checksum(u32 seed, const u8* block, u32 covered, usize tail) {
  constexpr u32 kZero = 0;
  u32 crc = crc32c(seed, block, covered);
  crc = crc32c(crc, block + tail, 4);
  return crc32c(crc, &kZero, 4);
}

DirTail& leaf_tail(const u8* block, u32 block_size) {
  return *reinterpret_cast<DirTail*>(const_cast<u8*>(block) + block_size - sizeof(DirTail));
}

}  // namespace

usize index_offset(const u8* block, u32 block_size, u32 role) {
  if (role == kIndexRoot) return kIndexRootEntries;
  const auto* first = reinterpret_cast<const DirEntry*>(block);
  // 65535 and 0 stand for 64 KiB in blocks of that size, which are not supported.
  if (role == kMaybeNode && first->inode == 0 && first->record_length == block_size) return kIndexNodeEntries;
  return 0;
}

bool directory_checksum_ok(const Buffer& buffer, u32 block_size) {
  const usize offset = index_offset(buffer.data, block_size, buffer.owner.number);
  if (offset != 0) {
    u32 covered;
    usize tail;
    if (!index_tail(buffer.data, block_size, offset, covered, tail)) return false;
    u32 stored;
    __builtin_memcpy(&stored, buffer.data + tail + 4, 4);
    return index_checksum(buffer.owner.seed, buffer.data, covered, tail) == stored;
  }
  const DirTail& tail = leaf_tail(buffer.data, block_size);
  return tail.zero == 0 && tail.record_length == sizeof(DirTail) && tail.zero2 == 0 && tail.type == kDirTailType &&
         tail.checksum == crc32c(buffer.owner.seed, buffer.data, block_size - sizeof(DirTail));
}

void seal_directory(Buffer& buffer, u32 block_size) {
  const usize offset = index_offset(buffer.data, block_size, buffer.owner.number);
  if (offset != 0) {
    u32 covered;
    usize tail;
    if (!index_tail(buffer.data, block_size, offset, covered, tail)) return;
    const u32 crc = index_checksum(buffer.owner.seed, buffer.data, covered, tail);
    __builtin_memcpy(buffer.data + tail + 4, &crc, 4);
    return;
  }
  DirTail& tail = leaf_tail(buffer.data, block_size);
  tail.checksum = crc32c(buffer.owner.seed, buffer.data, block_size - sizeof(DirTail));
}

}  // namespace uni::fs::ext4
