// SPDX-License-Identifier: Apache-2.0
// The ends of the machine, what a panic needs to look at, and string output to ports.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::arch {

// Writes bytes to one port with a string instruction: one VM exit under KVM.
void out8_string(u16 port, const void* data, usize size);

// Stops every other processor for good (a non-maskable interrupt). For panics; harmless before they are started.
void stop_other_processors();
// Resets the machine the hard way (a fault that cannot be delivered): the last resort after power-off has failed.
[[noreturn]] void reset();

// Where the kernel's code is now, as [start, end).
struct CodeRange {
  u64 start, end;
};
CodeRange kernel_code();

// One step of a frame-pointer walk (System V psABI, 3.4.1). Gives false where `frame` cannot be a frame of the kernel.
bool next_frame(u64* frame, u64* return_address);
u64 current_frame();

}  // namespace uni::arch
