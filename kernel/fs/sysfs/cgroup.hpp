// SPDX-License-Identifier: Apache-2.0
// /sys/fs/cgroup (cgroups(7), version 2) as runtimes read it: one group, whose limits are the image's.
#pragma once

#include "kernel/fs/inode.hpp"

namespace uni::fs::cgroupfs {

// Mount it at /sys/fs/cgroup. Errors: NoMemory.
Result<RefPtr<FileSystem>> create();

}  // namespace uni::fs::cgroupfs
