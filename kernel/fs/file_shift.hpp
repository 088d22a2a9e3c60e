// SPDX-License-Identifier: Apache-2.0
// Taking a range out of a file and making room for one (fallocate(2)).
#pragma once

#include "kernel/fs/inode.hpp"

namespace uni::fs {

// Both need Inode::lock, a file with a page cache, and a range whose ends are at block borders (Invalid otherwise).
// Both block. Errors: Invalid, also for a range that reaches the end of the file (collapse) or begins behind it
// (insert), Io, NoSpace, NoMemory; FileTooBig for insert alone. After an error part of the content may have moved.
Result<void> collapse_range(Inode& inode, u64 offset, u64 length);
Result<void> insert_range(Inode& inode, u64 offset, u64 length);

}  // namespace uni::fs
