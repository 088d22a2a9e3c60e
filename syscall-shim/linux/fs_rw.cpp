// SPDX-License-Identifier: Apache-2.0
// read(2), write(2) and their families, lseek(2). A seekable file's position is held over the transfer.
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

Result<usize> read_here(fs::File& file, IoCursor& to) {
  if (!file.readable()) return Errno::BadFd;
  if (!file.seekable()) return file.read(to, 0);
  LockGuard guard(file.position_lock);
  Result<usize> got = file.read(to, file.position);
  if (got.ok()) file.position += got.value();
  return got;
}

Result<usize> write_here(fs::File& file, IoCursor& from) {
  if (!file.writable()) return Errno::BadFd;
  if (!file.seekable()) return file.write(from, 0);
  LockGuard guard(file.position_lock);
  Result<usize> done = file.write(from, file.position);
  if (!done.ok()) return done;
  if (((file.flags() & fs::kOpenAppend) != 0 || from.append()) && done.value() != 0)
    file.position = file.append_end;
  else
    file.position += done.value();
  return done;
}

Result<usize> read_at(fs::File& file, IoCursor& to, i64 offset) {
  if (!file.seekable()) return Errno::IllegalSeek;
  if (!file.readable()) return Errno::BadFd;
  return file.read(to, static_cast<u64>(offset));
}

Result<usize> write_at(fs::File& file, IoCursor& from, i64 offset) {
  if (!file.seekable()) return Errno::IllegalSeek;
  if (!file.writable()) return Errno::BadFd;
  return file.write(from, static_cast<u64>(offset));
}

namespace {
Result<i64> as_count(Result<usize> got) {
  if (!got.ok()) return got.error();
  return static_cast<i64>(got.value());
}

}  // namespace

// RWF_NOWAIT is for what can tell beforehand that it would wait: the page cache when it is read (as with ext4), and
// everything that is no file by name.
Result<void> apply_rw_flags(const fs::File& file, IoCursor& cursor, u32 flags, Transfer direction) {
  constexpr u32 kKnown = abi::kRwHighPriority | abi::kRwDsync | abi::kRwSync | abi::kRwNoWait | abi::kRwAppend;
  if ((flags & ~kKnown) != 0) return Errno::NotSupported;
  if ((flags & abi::kRwNoWait) != 0) {
    if (file.kind() == fs::FileKind::kInode && direction == Transfer::kWrite) return Errno::NotSupported;
    cursor.set_no_wait();
  }
  if ((flags & abi::kRwAppend) != 0) cursor.set_append();
  return {};
}

Result<i64> sys_read(i32 fd, UserBytes buffer, u64 count) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!user_range_ok(buffer.address(), count)) return Errno::Fault;
  IoCursor to(buffer.address(), min(count, abi::kMaxTransfer));
  return as_count(read_here(*file, to));
}

Result<i64> sys_write(i32 fd, UserBytes buffer, u64 count) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!user_range_ok(buffer.address(), count)) return Errno::Fault;
  IoCursor from(buffer.address(), min(count, abi::kMaxTransfer));
  return finish_write(write_here(*file, from));
}

Result<i64> sys_pread64(i32 fd, UserBytes buffer, u64 count, i64 offset) {
  if (offset < 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!user_range_ok(buffer.address(), count)) return Errno::Fault;
  IoCursor to(buffer.address(), min(count, abi::kMaxTransfer));
  return as_count(read_at(*file, to, offset));
}

Result<i64> sys_pwrite64(i32 fd, UserBytes buffer, u64 count, i64 offset) {
  if (offset < 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!user_range_ok(buffer.address(), count)) return Errno::Fault;
  IoCursor from(buffer.address(), min(count, abi::kMaxTransfer));
  return finish_write(write_at(*file, from, offset));
}

Result<i64> sys_readv(i32 fd, UserPtr<IoSegment> segments, u64 count) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  IoVector vector;
  TRY(vector.read(segments, count));
  IoCursor to = vector.cursor();
  return as_count(read_here(*file, to));
}

Result<i64> sys_writev(i32 fd, UserPtr<IoSegment> segments, u64 count) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  IoVector vector;
  TRY(vector.read(segments, count));
  IoCursor from = vector.cursor();
  return finish_write(write_here(*file, from));
}

// preadv2(2); on x86-64 the offset is whole in its first word.
Result<i64> sys_preadv2(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64, u32 flags) {
  if (offset < -1) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  IoVector vector;
  TRY(vector.read(segments, count));
  IoCursor to = vector.cursor();
  TRY(apply_rw_flags(*file, to, flags, Transfer::kRead));
  return as_count(offset == -1 ? read_here(*file, to) : read_at(*file, to, offset));
}

Result<i64> sys_pwritev2(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64, u32 flags) {
  if (offset < -1) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  IoVector vector;
  TRY(vector.read(segments, count));
  IoCursor from = vector.cursor();
  TRY(apply_rw_flags(*file, from, flags, Transfer::kWrite));
  const i64 done = TRY(finish_write(offset == -1 ? write_here(*file, from) : write_at(*file, from, offset)));
  if ((flags & (abi::kRwDsync | abi::kRwSync)) != 0) TRY(file->sync((flags & abi::kRwSync) == 0));
  return done;
}

Result<i64> sys_preadv(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high) {
  if (offset < 0) return Errno::Invalid;
  return sys_preadv2(fd, segments, count, offset, high, 0);
}

Result<i64> sys_pwritev(i32 fd, UserPtr<IoSegment> segments, u64 count, i64 offset, u64 high) {
  if (offset < 0) return Errno::Invalid;
  return sys_pwritev2(fd, segments, count, offset, high, 0);
}

Result<i64> sys_lseek(i32 fd, i64 offset, i32 whence) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (whence < 0 || whence > 4) return Errno::Invalid;
  LockGuard guard(file->position_lock);
  return static_cast<i64>(TRY(file->seek(offset, whence)));
}

}  // namespace uni::shim
