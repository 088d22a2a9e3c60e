// SPDX-License-Identifier: Apache-2.0
// Filling pages from the device. Neighbouring blocks go into one request, pages that are neighbours in memory into one
// segment, so a contiguous file is read in as few requests as the caller's batch allows.
#include "kernel/fs/ext4/file_transfer.hpp"
#include "kernel/fs/ext4/regular_file.hpp"

namespace uni::fs::ext4 {

Result<void> Transfer::flush() {
  if (count_ == 0) return {};
  const Span<const dev::BlockSegment> segments(segments_, exchange(count_, usize{0}));
  return write_ ? fs_.device().write(at_, segments) : fs_.device().read(at_, segments);
}

Result<void> Transfer::add(u64 device_offset, u8* data, usize size) {
  if (count_ != 0 && device_offset == next_) {
    dev::BlockSegment& last = segments_[count_ - 1];
    if (static_cast<u8*>(last.data) + last.size == data) {
      last.size += size;
      next_ += size;
      return {};
    }
  }
  if (count_ == kMaxSegments || device_offset != next_) TRY(flush());
  if (count_ == 0) at_ = device_offset;
  segments_[count_++] = {data, size};
  next_ = device_offset + size;
  return {};
}

Result<void> RegularFile::read_pages(u64 page_index, Span<mm::Page*> pages) {
  const u32 block_size = ext4().block_size();
  const u32 per_page = blocks_per_page();
  const u64 file_blocks = block_of(size() + block_size - 1);
  Transfer transfer(ext4(), Transfer::kRead);
  LockGuard guard(map_lock);
  Mapping m;
  for (usize i = 0; i < pages.size(); ++i) {
    u8* const data = static_cast<u8*>(mm::address_of(*pages[i]));
    const u64 first = (page_index + i) * per_page;
    for (u32 b = 0; b < per_page; ++b) {
      const u64 logical = first + b;
      u8* const to = data + usize{b} * block_size;
      if (logical >= file_blocks) {
        __builtin_memset(to, 0, block_size);
        continue;
      }
      const u32 block = static_cast<u32>(logical);  // inode sizes are checked against the format's limit
      if (!m.contains(block)) m = TRY(find_mapping(*this, block));
      if (m.hole() || m.unwritten)
        __builtin_memset(to, 0, block_size);
      else
        TRY(transfer.add(ext4().device_offset(m.physical + (block - m.logical)), to, block_size));
    }
  }
  TRY(transfer.flush());
  // Zero beyond the end, also where a mapping's stores left something in the last block.
  const u64 end = size(), first_byte = page_index * kPageSize;
  if (end > first_byte && end % kPageSize != 0 && (end - first_byte) / kPageSize < pages.size()) {
    u8* const data = static_cast<u8*>(mm::address_of(*pages[(end - first_byte) / kPageSize]));
    __builtin_memset(data + end % kPageSize, 0, kPageSize - end % kPageSize);
  }
  return {};
}

}  // namespace uni::fs::ext4
