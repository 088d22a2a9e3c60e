// SPDX-License-Identifier: Apache-2.0
// The ext4 file system: extents, 64bit, flex_bg, metadata_csum, dir_index, extended attributes; no journal. Nothing
// that an image holds may crash the kernel: what does not check out is Errno::Io and a line in the log.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/dev/block.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::ext4 {

// Mounts the file system that fills [partition_offset, partition_offset + partition_size) of `device`, which must
// outlive it. Reads the superblock only. Errors: Invalid (not ext4, or damaged), NotSupported (features that this
// kernel lacks; the log names them), Io, NoMemory.
Result<RefPtr<FileSystem>> mount(dev::BlockDevice& device, u64 partition_offset, u64 partition_size);

}  // namespace uni::fs::ext4
