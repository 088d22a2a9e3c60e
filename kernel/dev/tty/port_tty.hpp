// SPDX-License-Identifier: Apache-2.0
// A console port as a terminal: `uni run -t`.
#pragma once

#include "kernel/dev/console/port.hpp"
#include "kernel/fs/file.hpp"

namespace uni::dev {

// The terminal over `port` as a File (/dev/pts/0); all opens share one terminal. Errors: NoMemory, NoDevice (another
// port is it).
Result<RefPtr<fs::File>> open_port_tty(console::Port& port, u32 open_flags);

}  // namespace uni::dev
