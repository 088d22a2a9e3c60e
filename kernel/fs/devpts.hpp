// SPDX-License-Identifier: Apache-2.0
// /dev/pts: the terminals by number. It is mounted when the first terminal appears, so that an image without one does
// not pay for it.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::dev {
class Tty;
}

namespace uni::fs {

class Dentry;

namespace devpts {

// Mounts it at /dev/pts where that has not been done. May block.
void appear();
// The same file system for mount(2). Errors: NoMemory.
Result<RefPtr<FileSystem>> create();
// /dev/pts/N of a terminal, from the kernel's own root. May block. Errors: NoEntry.
Result<RefPtr<Dentry>> place_of(const dev::Tty& tty);
// What stat(2) says of a terminal.
void stat_of(const dev::Tty& tty, Stat& out);

}  // namespace devpts
}  // namespace uni::fs
