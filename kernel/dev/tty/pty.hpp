// SPDX-License-Identifier: Apache-2.0
// Pseudo-terminals (pty(7)): /dev/ptmx makes one, /dev/pts/N is its terminal.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::dev {

// A new pty's master. Errors: NoSpace (too many), NoMemory.
Result<RefPtr<fs::File>> open_ptmx(u32 open_flags);

}  // namespace uni::dev
