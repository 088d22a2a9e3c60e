// SPDX-License-Identifier: Apache-2.0
// What few inodes have: file locks, the pipe of a fifo, watches. Made when first needed.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::fs {

struct LockList;
struct WatchList;
class Pipe;

struct InodeExtra {
  ~InodeExtra();
  SpinLock lock{Rank::kInode};
  LockList* locks = nullptr;     // kernel/fs/locks.cpp
  Pipe* fifo = nullptr;          // borrowed: it clears this when its last end closes; under `lock`
  WatchList* watches = nullptr;  // kernel/fs/inotify.cpp
};

}  // namespace uni::fs
