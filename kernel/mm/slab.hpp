// SPDX-License-Identifier: Apache-2.0
// Raw kernel allocations, for ported C code (the TCP/IP stack). Kernel code uses make_own and make_ref.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::mm {

// 16-byte aligned; null when memory is out. Does not block.
void* allocate(usize size);
void release(void* object);
usize allocated_size(const void* object);

}  // namespace uni::mm
