// SPDX-License-Identifier: Apache-2.0
// Descriptors: an array that doubles, and a bitmap of used ones, so that the lowest free one is found by words. Files
// are released after the lock is dropped, because closing may block.
#include "kernel/fs/file.hpp"

namespace uni::fs {

std::atomic<u64> g_most_descriptors{1024 * 1024};

namespace {
constexpr u32 kFirstSlots = 64;
}

FileTable::~FileTable() {
  for (u32 fd = 0; fd < slots_.size(); ++fd) {
    const RefPtr<File> file = take(fd);
    if (file) file->descriptor_closed(*this);
  }
}

Result<RefPtr<FileTable>> FileTable::create() {
  RefPtr<FileTable> table = TRY(make_ref<FileTable>());
  TRY(table->grow(kFirstSlots));
  return table;
}

Result<RefPtr<FileTable>> FileTable::copy() {
  RefPtr<FileTable> table = TRY(make_ref<FileTable>());
  LockGuard guard(lock_);
  table->limit_ = limit_;
  // As large as the highest open descriptor wants, not as this table once was: as on Linux, select(2) tells.
  u32 words = static_cast<u32>(used_.size());
  while (words > 1 && used_[words - 1] == 0)
    --words;
  TRY(table->grow(words * 64));
  for (u32 fd = 0; fd < words * 64; ++fd) {
    const Slot& slot = slots_[fd];
    if (slot.file != nullptr) table->put(fd, RefPtr<File>(slot.file), slot.close_on_exec);
  }
  return table;
}

Result<void> FileTable::grow(u32 wanted) {
  u32 size = max(kFirstSlots, static_cast<u32>(slots_.size()));
  while (size < wanted)
    size *= 2;
  TRY(used_.resize(size / 64));
  return slots_.resize(size);
}

Result<u32> FileTable::lowest_free(u32 from) {
  u32 word = from / 64;
  u64 mask = ~u64{0} << (from % 64);
  for (; word < used_.size(); ++word, mask = ~u64{0}) {
    const u64 open = ~used_[word] & mask;
    if (open != 0) return word * 64 + static_cast<u32>(__builtin_ctzll(open));
  }
  return max(from, static_cast<u32>(slots_.size()));
}

void FileTable::put(u32 fd, RefPtr<File> file, bool close_on_exec) {
  slots_[fd].file = file.leak();
  slots_[fd].close_on_exec = close_on_exec;
  used_[fd / 64] |= u64{1} << (fd % 64);
}

RefPtr<File> FileTable::take(u32 fd) {
  if (fd >= slots_.size() || slots_[fd].file == nullptr) return {};
  used_[fd / 64] &= ~(u64{1} << (fd % 64));
  return RefPtr<File>::adopt(exchange(slots_[fd].file, nullptr));
}

u32 FileTable::slots() {
  LockGuard guard(lock_);
  return static_cast<u32>(slots_.size());
}

Result<RefPtr<File>> FileTable::get(int fd, bool allow_path) {
  LockGuard guard(lock_);
  const u32 at = static_cast<u32>(fd);
  if (at >= slots_.size()) return Errno::BadFd;
  File* file = slots_.data()[at].file;
  if (file == nullptr || (!allow_path && (file->flags() & kOpenPath) != 0)) return Errno::BadFd;
  return RefPtr<File>(file);
}

Result<int> FileTable::install(RefPtr<File> file, bool close_on_exec, int minimum) {
  LockGuard guard(lock_);
  const u32 fd = TRY(lowest_free(static_cast<u32>(minimum)));
  if (fd >= limit_) return Errno::TooManyFiles;
  if (fd >= slots_.size()) {
    if (fd >= g_most_descriptors.load(std::memory_order_relaxed)) return Errno::TooManyFiles;
    TRY(grow(fd + 1));
  }
  put(fd, uni::move(file), close_on_exec);
  return static_cast<int>(fd);
}

Result<int> FileTable::install_at(int fd, RefPtr<File> file, bool close_on_exec) {
  const u32 at = static_cast<u32>(fd);
  RefPtr<File> old;
  {
    LockGuard guard(lock_);
    if (at >= limit_) return Errno::BadFd;
    if (at >= slots_.size()) {
      if (at >= g_most_descriptors.load(std::memory_order_relaxed)) return Errno::BadFd;
      TRY(grow(at + 1));
    }
    old = take(at);
    put(at, uni::move(file), close_on_exec);
  }
  if (old) old->descriptor_closed(*this);
  return fd;
}

Result<void> FileTable::close(int fd) {
  RefPtr<File> file;
  {
    LockGuard guard(lock_);
    file = take(static_cast<u32>(fd));
  }
  if (!file) return Errno::BadFd;
  file->descriptor_closed(*this);
  return {};
}

void FileTable::close_range(int first, int last, bool only_mark_close_on_exec) {
  for (u32 fd = static_cast<u32>(first);; ++fd) {
    RefPtr<File> file;
    {
      LockGuard guard(lock_);
      if (fd > static_cast<u32>(last) || fd >= slots_.size()) return;
      if (only_mark_close_on_exec)
        slots_[fd].close_on_exec = true;
      else
        file = take(fd);
    }
    if (file) file->descriptor_closed(*this);
  }
}

Result<bool> FileTable::close_on_exec(int fd) {
  LockGuard guard(lock_);
  const u32 at = static_cast<u32>(fd);
  if (at >= slots_.size() || slots_[at].file == nullptr) return Errno::BadFd;
  return bool{slots_[at].close_on_exec};
}

Result<void> FileTable::set_close_on_exec(int fd, bool value) {
  LockGuard guard(lock_);
  const u32 at = static_cast<u32>(fd);
  if (at >= slots_.size() || slots_[at].file == nullptr) return Errno::BadFd;
  slots_[at].close_on_exec = value;
  return {};
}

void FileTable::close_all_on_exec() {
  for (u32 fd = 0;; ++fd) {
    RefPtr<File> file;
    {
      LockGuard guard(lock_);
      if (fd >= slots_.size()) return;
      if (slots_[fd].close_on_exec) file = take(fd);
    }
    if (file) file->descriptor_closed(*this);
  }
}

u32 FileTable::open_count() {
  LockGuard guard(lock_);
  u32 count = 0;
  for (const u64 word : used_)
    count += static_cast<u32>(__builtin_popcountll(word));
  return count;
}

int FileTable::next_open(int from) {
  LockGuard guard(lock_);
  for (u32 fd = static_cast<u32>(max(from, 0)); fd < slots_.size(); ++fd) {
    if (slots_[fd].file != nullptr) return static_cast<int>(fd);
  }
  return -1;
}

}  // namespace uni::fs
