// SPDX-License-Identifier: Apache-2.0
// The content is moved through the page cache, a piece at a time: forward to take a range out, backward to make room,
// so that nothing is overwritten before it has moved. Pages that are holes are punched where they go.
#include "kernel/fs/file_shift.hpp"

#include "kernel/base/vector.hpp"
#include "kernel/fs/page_cache.hpp"

namespace uni::fs {

namespace {
constexpr usize kPiece = 16 * kPageSize;
constexpr int kPunchKeepingSize = 3;
constexpr u64 kLargestFile = ~u64{0} >> 1;

class Mover {
 public:
  explicit Mover(Inode& inode) : inode_(inode), cache_(*inode.page_cache()) {}

  Result<void> prepare() {
    TRY(buffer_.resize(kPiece));
    return cache_.flush();  // seek_data tells of what is stored
  }

  // `size` is at most kPiece.
  Result<void> move(u64 from, u64 to, usize size) {
    bool hole[kPiece / kPageSize];
    for (usize at = 0; at < size; at += kPageSize)
      hole[at / kPageSize] = TRY(is_hole(from + at, from + min<usize>(size, at + kPageSize)));
    IoCursor in = IoCursor::kernel(buffer_.data(), size);
    TRY(cache_.read(in, from));
    for (usize at = 0; at < size;) {
      const bool punch = hole[at / kPageSize];
      usize end = at;
      while (end < size && hole[end / kPageSize] == punch)
        end = min<usize>(size, end + kPageSize);
      if (punch) {
        TRY(cache_.punch(kPunchKeepingSize, to + at, end - at));
      } else {
        IoCursor out = IoCursor::kernel(buffer_.data() + at, end - at);
        TRY(cache_.write(out, to + at));
      }
      at = end;
    }
    return {};
  }

 private:
  Result<bool> is_hole(u64 from, u64 end) {
    const Result<u64> data = inode_.seek_data(from, false);
    if (data.ok()) return data.value() >= end;
    if (data.error() != Errno::NoDeviceOrAddress) return data.error();
    return true;
  }

  Inode& inode_;
  PageCache& cache_;
  Vector<char> buffer_;
};

Result<bool> is_aligned(Inode& inode, u64 offset, u64 length) {
  const FsStat stat = TRY(inode.file_system().stat());
  return (offset | length) % stat.block_size == 0;
}
}  // namespace

Result<void> collapse_range(Inode& inode, u64 offset, u64 length) {
  const u64 size = inode.size();
  if (!TRY(is_aligned(inode, offset, length)) || offset + length >= size) return Errno::Invalid;
  Mover mover(inode);
  TRY(mover.prepare());
  for (u64 at = offset + length; at < size; at += kPiece)
    TRY(mover.move(at, at - length, static_cast<usize>(min<u64>(size - at, kPiece))));
  return inode.page_cache()->truncate(size - length);
}

Result<void> insert_range(Inode& inode, u64 offset, u64 length) {
  const u64 size = inode.size();
  if (!TRY(is_aligned(inode, offset, length))) return Errno::Invalid;
  if (length > kLargestFile - size) return Errno::FileTooBig;
  if (offset >= size) return Errno::Invalid;
  Mover mover(inode);
  TRY(mover.prepare());
  TRY(inode.page_cache()->truncate(size + length));
  for (u64 left = size - offset; left > 0;) {
    const u64 piece = (left - 1) % kPiece + 1;
    left -= piece;
    TRY(mover.move(offset + left, offset + left + length, static_cast<usize>(piece)));
  }
  return inode.page_cache()->punch(kPunchKeepingSize, offset, length);
}

}  // namespace uni::fs
