// SPDX-License-Identifier: Apache-2.0
// Signals for I/O (fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC): a file tells a process, a thread or a group that it has
// become ready.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {

// Numbers of F_SETOWN_EX.
enum class OwnerKind : i32 { kThread = 0, kProcess = 1, kGroup = 2 };

struct IoOwner {
  OwnerKind kind = OwnerKind::kProcess;
  u32 number = 0;  // 0: nobody
};

// Who is told, and with which signal (0: SIGIO without its siginfo). Errors: NoProcess, Invalid, NoMemory.
Result<void> set_io_owner(File& file, IoOwner owner);
IoOwner io_owner(File& file);
Result<void> set_io_signal(File& file, int number);
int io_signal(File& file);
// O_ASYNC went on or off; `fd` is what the siginfo shows. Errors: NoMemory.
Result<void> set_async(File& file, int fd, bool on);
// Urgent data has come: SIGURG to the owner, O_ASYNC or not. May be called from interrupts, with locks of rank below
// kWaitQueue held.
void tell_urgent(File& file);
// Makes a file ready for messages (POLL_MSG): leases and F_NOTIFY. They go to who asks, where no owner was set. `fd` is
// what the siginfo shows. Errors: NoMemory.
Result<void> expect_messages(File& file, int fd);
// Sends one. Needs: expect_messages(), a reference to the file, no spin lock.
void tell_message(File& file);

}  // namespace uni::fs
