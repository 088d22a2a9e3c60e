// SPDX-License-Identifier: Apache-2.0
// How mounts are written, in /proc and by statmount(2). Nothing here blocks.
#pragma once

#include "kernel/fs/mount.hpp"

namespace uni::fs {

// Octal escapes for what separates fields (proc_pid_mounts(5)).
void write_mount_escaped(Writer& out, StringView text);
// The options after "rw" or "ro", each with a comma before it: of the mount, of the file system as a whole.
void write_mount_flags(Writer& out, u32 flags);
void write_super_flags(Writer& out, const FileSystem& fs);
// The file system itself, whatever the mount says.
bool is_read_only(const FileSystem& fs);

}  // namespace uni::fs
