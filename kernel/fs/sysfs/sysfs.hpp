// SPDX-License-Identifier: Apache-2.0
// /sys, as far as programs read it (sysfs(5), Linux Documentation/ABI): processors, NUMA nodes, huge pages.
#pragma once

#include "kernel/fs/inode.hpp"

namespace uni::fs::sysfs {

// Mount it at /sys. Errors: NoMemory.
Result<RefPtr<FileSystem>> create();

}  // namespace uni::fs::sysfs
