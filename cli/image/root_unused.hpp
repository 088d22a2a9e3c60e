// SPDX-License-Identifier: Apache-2.0
// Whether an ext4 root holds anything beside what its directory tree leads to.
#pragma once

#include <ext2fs/ext2fs.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace uni {

struct UsedByTree {
  ext2fs_block_bitmap blocks = nullptr;   // of files, directories and extent trees
  std::function<bool(ext2_ino_t)> inode;  // whether the tree has it
};

// `fs` is open with its bitmaps read; `file` is the image and `offset` where the file system lies in it. What neither
// the tree nor the file system itself uses is zero, the bitmaps say no more than that, and the copies of the super
// block and of the group descriptors are such. Gives the first fault found, in words; empty where there is none. Holes
// of the image are not read.
std::string fault_in_unused(ext2_filsys fs, int file, std::uint64_t offset, const UsedByTree& used);

// Whether the bytes behind the end of the data in a file's last block are zero. False where the block cannot be read.
bool tail_is_zero(ext2_filsys fs, blk64_t block, std::size_t used_bytes);

}  // namespace uni
