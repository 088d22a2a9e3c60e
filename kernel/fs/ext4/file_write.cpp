// SPDX-License-Identifier: Apache-2.0
// Writing pages back, truncation, preallocation, holes. Blocks are chosen when pages are written, a run at a time, so a
// file that is written and soon removed never allocates.
#include "kernel/fs/ext4/file_transfer.hpp"
#include "kernel/fs/ext4/regular_file.hpp"

namespace uni::fs::ext4 {

RegularFile::~RegularFile() {
  ext4().release_blocks(delayed_count_);
}

Result<void> RegularFile::add_delayed(u64 page) {
  usize i = delayed_.size();
  while (i > 0 && delayed_[i - 1].first > page)
    --i;
  if (i > 0 && page < delayed_[i - 1].end) return {};
  const bool after = i > 0 && delayed_[i - 1].end == page;
  const bool before = i < delayed_.size() && delayed_[i].first == page + 1;
  if (!after && !before) {
    TRY(delayed_.push({page, page + 1}));
    for (usize j = delayed_.size() - 1; j > i; --j)
      swap(delayed_[j], delayed_[j - 1]);
  }
  const auto reserved = ext4().reserve_blocks(blocks_per_page());
  if (!reserved.ok()) {
    if (!after && !before) delayed_.remove_at(i);
    return reserved;
  }
  delayed_count_ += blocks_per_page();
  if (after && before) {
    delayed_[i - 1].end = delayed_[i].end;
    delayed_.remove_at(i);
  } else if (after) {
    ++delayed_[i - 1].end;
  } else if (before) {
    --delayed_[i].first;
  }
  return {};
}

Result<void> RegularFile::drop_delayed(u64 first, u64 end) {
  if (delayed_.empty()) return {};
  u64 dropped = 0;
  for (usize i = 0; i < delayed_.size();) {
    Delayed& d = delayed_[i];
    const u64 from = max(d.first, first), to = min(d.end, end);
    if (from >= to) {
      ++i;
      continue;
    }
    if (from > d.first && to < d.end) {
      // Splitting needs an entry; without memory the promise is kept, which only holds back room.
      TRY(delayed_.reserve(delayed_.size() + 1));
      const u64 old_end = delayed_[i].end;
      delayed_[i].end = from;
      TRY(delayed_.push({to, old_end}));
      for (usize j = delayed_.size() - 1; j > i + 1; --j)
        swap(delayed_[j], delayed_[j - 1]);
      dropped += to - from;
      break;
    }
    dropped += to - from;
    if (from == d.first && to == d.end)
      delayed_.remove_at(i);
    else if (from == d.first)
      d.first = to;
    else
      d.end = from;
  }
  const u64 blocks = dropped * blocks_per_page();
  delayed_count_ -= blocks;
  ext4().release_blocks(blocks);
  return {};
}

Result<void> RegularFile::prepare_write(u64 page_index) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  const u32 per_page = blocks_per_page();
  const u64 first = page_index * per_page;
  if (first + per_page > kMaxLogicalBlock) return Errno::FileTooBig;
  LockGuard guard(map_lock);
  // Blocks in a row that exist need no promise.
  Mapping m;
  for (u32 i = 0; i < per_page; ++i) {
    const u32 block = static_cast<u32>(first) + i;
    if (!m.contains(block)) m = TRY(find_mapping(*this, block));
    if (m.hole()) return add_delayed(page_index);
  }
  return {};
}

Result<u64> RegularFile::goal(u32 logical) {
  if (logical > 0) {
    const Mapping before = TRY(find_mapping(*this, logical - 1));
    if (!before.hole()) return before.physical + (logical - before.logical);
  }
  return ext4().goal_for(ino());
}

// Makes blocks exist, `unwritten` (for preallocation) or not. map_lock is held.
Result<void> RegularFile::map_blocks(u32 first, u32 count, bool unwritten) {
  while (count > 0) {
    const Mapping m = TRY(find_mapping(*this, first));
    u32 n = min(count, m.count - (first - m.logical));
    if (m.hole()) {
      const u32 longest = unwritten ? kMaxUnwrittenLength : kMaxWrittenLength;
      const u64 near = TRY(goal(first));
      const Ext4::Run run = TRY(ext4().allocate_blocks(near, min(n, longest)));
      n = run.count;
      const auto entered = insert_mapping(*this, {first, n, run.first, unwritten});
      if (!entered.ok()) {
        ext4().free_blocks(run.first, n).take();
        return entered;
      }
      add_blocks(n);
    } else if (m.unwritten && !unwritten) {
      TRY(set_written(*this, first, n, false));
    }
    first += n;
    count -= n;
  }
  return {};
}

Result<void> RegularFile::write_pages(u64 page_index, Span<mm::Page* const> pages) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  const u32 block_size = ext4().block_size(), per_page = blocks_per_page();
  const u64 first = page_index * per_page;
  u64 end = first + pages.size() * per_page;
  if (end > kMaxLogicalBlock) return Errno::FileTooBig;
  // Small blocks behind the end of the file are not allocated. A page wholly behind it is: the file is just growing.
  const u64 file_end = block_of(size() + block_size - 1);
  if (file_end > end - per_page && file_end < end) end = file_end;
  LockGuard guard(map_lock);
  TRY(drop_delayed(page_index, page_index + pages.size()));
  TRY(map_blocks(static_cast<u32>(first), static_cast<u32>(end - first), false));
  Transfer transfer(ext4(), Transfer::kWrite);
  Mapping m;
  for (u64 logical = first; logical < end; ++logical) {
    const u32 block = static_cast<u32>(logical);
    if (!m.contains(block)) m = TRY(find_mapping(*this, block));
    const u64 in = logical - first;
    u8* const from = static_cast<u8*>(mm::address_of(*pages[in / per_page])) + in % per_page * block_size;
    TRY(transfer.add(ext4().device_offset(m.physical + (block - m.logical)), from, block_size));
  }
  return transfer.flush();
}

Result<void> RegularFile::set_size(u64 new_size) {
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  if (new_size > u64{kMaxLogicalBlock} << ext4().geometry().block_shift) return Errno::FileTooBig;
  const u64 old = size();
  put_size(new_size);
  if (new_size >= old) return {};
  {
    LockGuard guard(map_lock);
    TRY(drop_delayed((new_size + kPageSize - 1) / kPageSize, ~u64{0}));
  }
  return truncate_blocks(new_size);
}

// fallocate(2). The VFS has zeroed the partial pages at the edges and dropped whole ones; sizes are its business too.
Result<void> RegularFile::allocate(int mode, u64 offset, u64 length) {
  constexpr int kPunchHole = 2, kZeroRange = 0x10;
  if (ext4().read_only()) return Errno::ReadOnlyFs;
  const u64 end = offset + length;
  const u64 limit = u64{kMaxLogicalBlock} << ext4().geometry().block_shift;
  if (end > limit && (mode & kPunchHole) == 0) return Errno::FileTooBig;
  LockGuard guard(map_lock);
  if ((mode & (kPunchHole | kZeroRange)) != 0) {
    const u64 first_page = (offset + kPageSize - 1) / kPageSize, end_page = min(end, limit) / kPageSize;
    if (first_page < end_page) {
      TRY(drop_delayed(first_page, end_page));
      const u32 per_page = blocks_per_page();
      TRY(remove_mappings(*this, static_cast<u32>(first_page * per_page), static_cast<u32>(end_page * per_page - 1)));
    }
    if ((mode & kPunchHole) != 0) return {};
  }
  const u64 first = block_of(offset), last = block_of(end + ext4().block_size() - 1);
  // All or nothing, as far as space goes.
  u64 missing = 0;
  for (u64 at = first; at < last;) {
    const Mapping m = TRY(find_mapping(*this, static_cast<u32>(at)));
    const u64 stop = min(last, u64{m.logical} + m.count);
    if (m.hole()) missing += stop - at;
    at = stop;
  }
  TRY(ext4().reserve_blocks(missing));
  ext4().release_blocks(missing);
  return map_blocks(static_cast<u32>(first), static_cast<u32>(last - first), true);
}

// The cache is flushed, so what the extents say is all there is.
Result<u64> RegularFile::seek_data(u64 offset, bool hole) {
  const u64 end = size();
  LockGuard guard(map_lock);
  while (offset < end) {
    const u32 block = static_cast<u32>(block_of(offset));
    const Mapping m = TRY(find_mapping(*this, block));
    if ((m.hole() || m.unwritten) == hole) return offset;
    offset = (u64{m.logical} + m.count) << ext4().geometry().block_shift;
  }
  if (!hole) return Errno::NoDeviceOrAddress;
  return end;
}

}  // namespace uni::fs::ext4
