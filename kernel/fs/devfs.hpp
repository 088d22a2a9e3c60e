// SPDX-License-Identifier: Apache-2.0
// /dev: a memory file system with the usual nodes in it, and what opens character device nodes anywhere.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::devfs {

// Makes the file system with its nodes, and makes device nodes of all file systems open. Mount it at /dev.
Result<RefPtr<FileSystem>> create();

// Opens a character device by its number (vfs.hpp, DeviceOpener). Errors: NoDeviceOrAddress.
Result<RefPtr<File>> open_device(FileType type, u64 device, u32 flags);

}  // namespace uni::fs::devfs
