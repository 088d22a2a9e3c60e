// SPDX-License-Identifier: Apache-2.0
// The terminals by the N of /dev/pts/N. The console's, where there is one, is 0.
#pragma once

#include "kernel/dev/tty/tty.hpp"

namespace uni::dev::ttys {

inline constexpr u32 kMost = 4096;  // kernel.pty.max

// The lowest free number; it is taken until release(). Errors: NoSpace, NoMemory.
Result<u32> reserve();
void release(u32 index);
// The terminal can be found from now on; hide() ends that.
void show(Tty& tty);
void hide(Tty& tty);
// With a reference, or null.
RefPtr<Tty> find(u32 index);
// The first number >= from that find() finds, or kMost.
u32 next(u32 from);
// Numbers in use.
u32 count();

}  // namespace uni::dev::ttys
