// SPDX-License-Identifier: Apache-2.0
// File leases (fcntl(2), F_SETLEASE): the holder is told by a signal when somebody opens or truncates the file in a way
// that the lease does not allow, and who does so waits until the holder has given way or its time is over.
#pragma once

#include <atomic>

#include "kernel/fs/file.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::leases {

enum class Type : u8 { kNone, kRead, kWrite };
enum class Access : u8 { kRead, kWrite };

// How many there are: while there is none, an open costs one load.
extern std::atomic<u32> g_count;
// Seconds that a holder has (/proc/sys/fs/lease-break-time); 0: for ever.
extern std::atomic<u64> g_break_time;
// May leases be taken (/proc/sys/fs/leases-enable)?
extern std::atomic<u64> g_enabled;

// Takes, changes or (kNone) gives up the lease of an open file; `fd` is what the signal's siginfo shows. May block.
// Errors: Access (another's file), Invalid (not a regular file), Again (open in a way that is in the way, or no lease
// to give up), NoMemory.
Result<void> set(File& file, int fd, Type type);
// What the holder has, or is asked to go down to.
Type get(const File& file);
// Somebody is about to read or write: has conflicting leases broken. Blocks until they are, unless `wait` is false.
// Errors: Again (would block), RestartSys.
enum class Wait : u8 { kNo, kYes };
Result<void> break_slow(Inode& inode, Access access, Wait wait);
inline Result<void> break_for(Inode& inode, Access access, Wait wait) {
  if (g_count.load(std::memory_order_acquire) == 0) [[likely]]
    return {};
  return break_slow(inode, access, wait);
}
// The file dies.
void release_slow(const File& file);
inline void release(const File& file) {
  if (g_count.load(std::memory_order_acquire) != 0) [[unlikely]]
    release_slow(file);
}

}  // namespace uni::fs::leases
