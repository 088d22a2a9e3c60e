// SPDX-License-Identifier: Apache-2.0
// Byte channels to the host: the ports of the virtio console, found by name (docs/IMAGE.md).
#pragma once

#include "kernel/base/format.hpp"
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
// Writes one word of such a line: bytes outside of printable ASCII, `%` and the space become %XX (docs/IMAGE.md).
void write_control_word(Writer& out, StringView text);
// Calls `on_line` (from interrupts) for each line from the host.
void control_on_line(void (*on_line)(StringView line));
// Waits until the host has taken all bytes written to all ports: before power-off. As long as the host keeps a port
// open and does not read, it waits, as a local process's output waits in a pipe; for the control port 5 seconds.
void drain_ports();

// The terminal, where `uni.tty` has been opened: control lines `winsize` and `signal`. From interrupts too.
void set_window_size(u16 rows, u16 columns);
// To its foreground group; false: there is none.
bool signal_terminal(int number);

}  // namespace uni::dev
