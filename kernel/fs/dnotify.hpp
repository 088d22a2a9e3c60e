// SPDX-License-Identifier: Apache-2.0
// Directory change notification (fcntl(2), F_NOTIFY): a signal when something in an open directory changes.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {
class FileSystem;
}

namespace uni::fs::dnotify {

enum Event : u32 {
  kAccess = 1,
  kModify = 2,
  kCreate = 4,
  kDelete = 8,
  kRename = 0x10,
  kAttributes = 0x20,
  kMultiShot = 0x80000000,
};

extern std::atomic<u32> g_watches;
inline bool active() {
  return g_watches.load(std::memory_order_relaxed) != 0;
}

// Adds `events` to what a directory's descriptor is told of; none ends it. Errors: NotDirectory, NoMemory.
Result<void> set(File& file, FileTable& table, int fd, u32 events);
// What happened (notify::Event) to a directory, or to what is in it. Needs: no spin lock.
void event(const FileSystem& fs, u64 inode, u32 what);
// A name changed within one directory.
void renamed_within(const FileSystem& fs, u64 inode);
// A descriptor of `table` was closed (table: null for the file's last one).
void forget(const File& file, const FileTable* table);

}  // namespace uni::fs::dnotify
