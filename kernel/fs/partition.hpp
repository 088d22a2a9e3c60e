// SPDX-License-Identifier: Apache-2.0
// GPT partitions (UEFI 2.x, chapter 5), found by name.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/dev/block.hpp"

namespace uni::fs {

struct Partition {
  u64 offset = 0;  // bytes
  u64 size = 0;    // bytes
};

// The partition called `name` (ASCII). Two requests to the device. Errors: NoEntry (no such partition), Invalid (no
// valid GPT), Io, NoMemory.
Result<Partition> find_partition(dev::BlockDevice& device, StringView name);

}  // namespace uni::fs
