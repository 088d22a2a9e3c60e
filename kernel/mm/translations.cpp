// SPDX-License-Identifier: Apache-2.0
// Which processors have an address space loaded, and how they come to forget translations that were changed.
//
// Whoever changes a table counts an invalidation, then looks who has the space loaded and asks those. Whoever loads it
// enters itself first and then reads the count. So either the one is asked or the other sees that what it cached under
// the space's identifier before is out of date.
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/mm/activate.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"

namespace uni::mm {

u64 AddressSpace::next_id() {
  static std::atomic<u64> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void AddressSpace::load(arch::Cpu& cpu) {
  const u64 bit = u64{1} << cpu.id;
  AddressSpace* old = cpu.space;
  cpus_.fetch_or(bit, std::memory_order_seq_cst);
  arch::load_root(cpu, root_, {id_, invalidations_.load(std::memory_order_seq_cst)});
  cpu.space = this;
  if (old != nullptr) old->cpus_.fetch_and(~bit, std::memory_order_acq_rel);
}

void AddressSpace::flush(u64 start, u64 end) {
  const u64 generation = invalidations_.fetch_add(1, std::memory_order_seq_cst) + 1;
  arch::flush_range(start, end, cpus_.load(std::memory_order_seq_cst), {id_, generation});
}

bool AddressSpace::used_by_one_thread() const {
  if (ref_count() == 0) return true;  // it is being destroyed
  const Thread& self = Thread::current();
  return ref_count() == 1 && !self.is_kernel() && self.process().space.get() == this &&
         self.process().thread_count == 1;
}

void activate(AddressSpace& space) {
  space.load(arch::this_cpu());
}

void barrier_all() {
  // A flush of one page that nobody maps: each processor answers with an interrupt, and interrupts serialise.
  arch::flush_range(kUserEnd, kUserEnd + kPageSize, ~u64{0});
}

}  // namespace uni::mm
