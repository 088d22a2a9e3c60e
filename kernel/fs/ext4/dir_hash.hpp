// SPDX-License-Identifier: Apache-2.0
// Hashes of names for indexed directories (ext4 layout, "Hash Tree Directories").
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"
#include "kernel/fs/ext4/layout.hpp"

namespace uni::fs::ext4 {

// The hash of `name`; its lowest bit is 0 (the index uses it to mark a run of equal hashes that goes on). `seed` is the
// superblock's; all zero means MD4's initial state.
u32 name_hash(StringView name, HashVersion version, const u32 (&seed)[4]);

}  // namespace uni::fs::ext4
