// SPDX-License-Identifier: Apache-2.0
// Finding a file by its number: what a file handle (open_by_handle_at(2)) stands for.
#pragma once

#include "kernel/fs/vfs.hpp"

namespace uni::fs {

// Has the file system numbers that stay a file's own? (procfs and sysfs make inodes as they are looked at.)
bool has_lasting_numbers(const FileSystem& fs);
// The place of the inode `number` below the root of a mount. Reads directories until it is found. Errors: Stale.
Result<RefPtr<Dentry>> find_number(Mount& mount, u64 number);

}  // namespace uni::fs
