// SPDX-License-Identifier: Apache-2.0
// /sys, as far as programs read it (sysfs(5), Linux Documentation/ABI): processors, NUMA nodes, huge pages.
#pragma once

#include "kernel/fs/pseudo_fs.hpp"

namespace uni::fs::sysfs {

// Mount it at /sys. Errors: NoMemory.
Result<RefPtr<FileSystem>> create();

// The processors: "0-3", or "0" for one.
Result<void> show_cpus(Writer& out, const pseudo::Numbers& numbers);

}  // namespace uni::fs::sysfs
