// SPDX-License-Identifier: Apache-2.0
// Open files over terminals, and how they come to be.
#pragma once

#include "kernel/dev/tty/tty.hpp"
#include "kernel/fs/file.hpp"

namespace uni::dev {

// Opens the terminal; without O_NOCTTY it may become the caller's controlling terminal. Errors: Io, Busy, NoMemory.
Result<RefPtr<fs::File>> open_tty(Tty& tty, u32 open_flags);
// /dev/tty: the controlling terminal of the current process. Errors: NoDeviceOrAddress.
Result<RefPtr<fs::File>> open_controlling_tty(u32 open_flags);

}  // namespace uni::dev
