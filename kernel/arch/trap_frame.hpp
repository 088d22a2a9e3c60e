// SPDX-License-Identifier: Apache-2.0
// The user registers at an entry into the kernel, as the entry stubs push them. Neutral name, per-architecture content.
#pragma once

#include "kernel/base/types.hpp"

namespace uni {

struct TrapFrame {
  u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
  u64 orig_rax;  // the system call's number, or ~0 for interrupts and faults
  u64 rip, cs, rflags, rsp, ss;
};

}  // namespace uni
