// SPDX-License-Identifier: Apache-2.0
// Advisory file locks: flock(2), POSIX record locks and OFD locks (fcntl(2)). A flock lock and an OFD lock belong to an
// open file description, a POSIX lock to a descriptor table. flock locks do not meet the others.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::locks {

enum class Kind : u8 { kFlock, kPosix, kOfd };
enum class Type : u8 { kRead, kWrite, kUnlock };
enum class Wait : u8 { kNo, kYes };

struct Request {
  Kind kind;
  Type type;
  const void* owner;  // the File (flock, OFD) or the FileTable (POSIX)
  u32 pid;            // shown by F_GETLK
  u64 start;
  u64 end;  // inclusive; ~0: to the end of the file, however it grows
};

// Takes, changes or releases a lock. May block with Wait::kYes. Errors: Again (held by another), RestartSys (a signal
// came while waiting), Deadlock (POSIX), NoMemory.
Result<void> set(Inode& inode, const Request& request, Wait wait);
// The lock with the lowest start that would be in the way: fills *conflict and gives true.
bool test(Inode& inode, const Request& request, Request* conflict);
// Releases what belongs to a File that dies, or to a descriptor table that closes a descriptor of the inode.
void release_file(Inode& inode, const File& file);
void release_table(Inode& inode, const FileTable& table);

}  // namespace uni::fs::locks
