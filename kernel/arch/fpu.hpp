// SPDX-License-Identifier: Apache-2.0
// The vector state of the running thread (XSAVE area, standard format: what a signal frame holds too). The kernel
// itself never touches vector registers, so between entry and exit they are the program's.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni::arch {

// Bytes of an XSAVE area with the features in use (at least 576), and their XCR0 mask. Areas are 64-byte aligned.
usize fpu_area_size();
u64 fpu_features();
// Registers -> area, area -> registers (a trusted area).
void fpu_save(void* area);
void fpu_load(const void* area);
// Loads an area that a program could have changed. Errors: Invalid (reserved bits; the registers are then reset).
Result<void> fpu_load_untrusted(void* area);
// The state that a new program starts with.
void fpu_reset();

}  // namespace uni::arch
