// SPDX-License-Identifier: Apache-2.0
// The directory of POSIX message queues, for the queues themselves.
#pragma once

#include "kernel/fs/inode.hpp"

namespace uni::ipc {

// Is the inode a queue, and not a file of another file system?
bool is_queue(const fs::Inode& inode);
// A queue of `uid` is gone: its bytes no longer count against RLIMIT_MSGQUEUE.
void give_back_charge(u32 uid, u64 bytes);

}  // namespace uni::ipc
