// SPDX-License-Identifier: Apache-2.0
// Loads an address space on this processor outside of a thread switch (exec), and the memory barrier on all processors.
#include "kernel/mm/activate.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::mm {

void activate(AddressSpace& space) {
  arch::Cpu& cpu = arch::this_cpu();
  AddressSpace* old = cpu.space;
  space.note_active(cpu.id);
  arch::load_root(space.root());
  cpu.space = &space;
  if (old != nullptr) old->note_inactive(cpu.id);
}

void barrier_all() {
  // A flush of one page that nobody maps: each processor answers with an interrupt, and interrupts serialise.
  arch::flush_range(kUserEnd, kUserEnd + kPageSize, ~u64{0});
}

}  // namespace uni::mm
