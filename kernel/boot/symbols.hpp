// SPDX-License-Identifier: Apache-2.0
// Names for addresses of the kernel's own code, from the table that kernel/boot/make_symbols.py makes at build time.
#pragma once

#include "kernel/base/format.hpp"

namespace uni::boot {

// Writes "name+0x12" for an address of the kernel's code, or only the number where no name is known. Allocates nothing.
void write_symbol(Writer& out, u64 address);

}  // namespace uni::boot
