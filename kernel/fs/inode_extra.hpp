// SPDX-License-Identifier: Apache-2.0
// What few inodes have: file locks, the pipe of a fifo. Made when first needed.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::fs {

struct LockList;
class Pipe;

struct InodeExtra {
  ~InodeExtra();
  SpinLock lock{Rank::kInode};
  LockList* locks = nullptr;          // kernel/fs/locks.cpp
  Pipe* fifo = nullptr;               // borrowed: it clears this when its last end closes; under `lock`
  std::atomic<bool> linkable{false};  // O_TMPFILE: may get a name though it has none
};

}  // namespace uni::fs
