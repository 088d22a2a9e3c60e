// SPDX-License-Identifier: Apache-2.0
// Byte channels to the host: the ports of the virtio console, found by name (docs/IMAGE.md).
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/fs/file.hpp"

namespace uni::dev {

// Opens a named port ("uni.stdout") as a File with pipe-like behaviour: reads block until bytes or end-of-file (the
// host closed), writes block while the host does not take bytes; poll works; fstat says FIFO. Errors: NoDevice.
Result<RefPtr<fs::File>> open_port(StringView name, u32 open_flags);

// Sends a line (without its \n) on "uni.control"; dropped where there is no such port. Does not block for long.
void control_send(StringView line);
// Calls `on_line` (from interrupts) for each line from the host.
void control_on_line(void (*on_line)(StringView line));
// Waits until the host has taken all bytes written to all ports: before power-off. Bounded to a few seconds.
void drain_ports();

}  // namespace uni::dev
