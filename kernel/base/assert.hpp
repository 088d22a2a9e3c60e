// SPDX-License-Identifier: Apache-2.0
// ASSERT for what only a bug in the kernel can make false (never for what a program passes). On the host it aborts.
#pragma once

namespace uni {
// Prints the message and a backtrace, and ends the machine (host: abort). kernel/boot/panic.cpp.
[[noreturn]] void panic(const char* message, const char* file, int line);
}  // namespace uni

#define PANIC(message) ::uni::panic(message, __FILE__, __LINE__)
#define ASSERT(condition) (__builtin_expect(!(condition), 0) ? PANIC("assertion failed: " #condition) : (void)0)
