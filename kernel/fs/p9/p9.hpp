// SPDX-License-Identifier: Apache-2.0
// Host directories over 9P2000.L (https://github.com/chaos/diod/blob/master/protocol.md). Reads and writes go to the
// host at once (cache=none), so both sides see each other's changes; mappings go through the page cache.
#pragma once

#include "kernel/fs/inode.hpp"
#include "kernel/fs/p9/transport.hpp"

namespace uni::fs::p9 {

enum class ReadOnly : u8 { kNo, kYes };

// Attaches to the server behind `transport`. May block. Errors: Io, Protocol (another dialect), NoMemory.
Result<RefPtr<FileSystem>> connect(P9Transport& transport, ReadOnly read_only);

// Mounts what the device with this tag offers on the directory at `target`. Errors: NoDevice (no such tag), connect's,
// mount_at's.
Result<void> mount_tag(StringView tag, StringView target, bool read_only);

}  // namespace uni::fs::p9
