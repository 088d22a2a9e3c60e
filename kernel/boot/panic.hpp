// SPDX-License-Identifier: Apache-2.0
// The end of the kernel: message, registers, backtrace on COM1 (docs/IMAGE.md), then power-off. kernel/boot/panic.cpp.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/base/assert.hpp"

namespace uni::boot {

[[noreturn]] void panic_trap(const char* what, const TrapFrame& frame, u64 error, u64 address);
bool panicking();

}  // namespace uni::boot
