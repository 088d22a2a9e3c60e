// SPDX-License-Identifier: Apache-2.0
// TLB shoot-downs between processors.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::arch {

// Does what other processors asked of this one; from the interrupt and from spin loops.
void answer_shootdown();
// Makes every other processor in `cpus` that has this root loaded fall back to the kernel's own tables; waits for them.
void drop_root_elsewhere(u64 root, u64 cpus);

}  // namespace uni::arch
