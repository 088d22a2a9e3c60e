// SPDX-License-Identifier: Apache-2.0
// TLB shoot-downs between processors.
#pragma once

#include "kernel/arch/x86_64/pcid.hpp"
#include "kernel/mm/page.hpp"

namespace uni::arch {

struct Cpu;

// Loads an address space's tables. Interrupts are off since before `tag` was read, and the space counts this processor
// among its own since before then, so no invalidation is missed.
void load_root(Cpu& cpu, mm::PhysAddr root, TlbTag tag);
// Does what other processors asked of this one; from the interrupt and from spin loops.
void answer_shootdown();
// Makes every other processor in `cpus` that has this root loaded fall back to the kernel's own tables; waits for them.
void drop_root_elsewhere(u64 root, u64 cpus);

}  // namespace uni::arch
