// SPDX-License-Identifier: Apache-2.0
// TLB shoot-downs. One request is out at a time (request_lock); the asker waits until each named processor has
// answered. A processor answers from its interrupt, from every spin loop and before it loads a root, so an asker that
// holds locks cannot deadlock.
#include "kernel/arch/x86_64/tlb.hpp"

#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::arch {
namespace {

// A plain flag, because SpinLock's slow path itself answers shoot-downs and ranks do not apply here.
std::atomic<bool> request_lock{false};
u64 request_start, request_end, request_root;
TlbTag request_tag;
std::atomic<u32> request_waiting{0};

constexpr u64 kCr3Keep = u64{1} << 63;  // what is cached under the identifier stays (SDM volume 3, 4.10.4.1)
constexpr u64 kFlushAllAbove = 32 * kPageSize;

void flush_local(u64 start, u64 end) {
  if (end - start > kFlushAllAbove) {
    write_cr3(read_cr3());  // all of the loaded identifier's but for the kernel's global ones
    return;
  }
  for (u64 at = start; at < end; at += kPageSize)
    invlpg(at);
}

// Where another space has been loaded since, there is nothing to do: its count is behind when it is loaded again.
void flush_tagged(Cpu& cpu, u64 start, u64 end, TlbTag tag) {
  if (features.pcid && tag.space != 0 && !cpu.pcids.is_loaded(tag.space)) return;
  flush_local(start, end);
  cpu.pcids.invalidated(tag);
}

void load_kernel_root(Cpu& cpu) {
  write_cr3(layout.root_table);
  cpu.pcids.unload();
  cpu.space = nullptr;
}

void ask(u64 cpus, u64 start, u64 end, u64 root, TlbTag tag) {
  Cpu& self = this_cpu();
  while (request_lock.exchange(true, std::memory_order_acquire))
    cpu_relax();
  request_start = start;
  request_end = end;
  request_root = root;
  request_tag = tag;
  u32 asked = 0;
  for (u64 left = cpus; left != 0; left &= left - 1) {
    Cpu* cpu = cpu_at(static_cast<unsigned>(__builtin_ctzll(left)));
    if (cpu != nullptr && cpu != &self && cpu->online) ++asked;
  }
  request_waiting.store(asked, std::memory_order_release);
  for (u64 left = cpus; left != 0; left &= left - 1) {
    Cpu* cpu = cpu_at(static_cast<unsigned>(__builtin_ctzll(left)));
    if (cpu == nullptr || cpu == &self || !cpu->online) continue;
    cpu->shootdown_pending.store(true, std::memory_order_release);
    send_ipi(cpu->apic_id, kShootdownVector);
  }
  while (request_waiting.load(std::memory_order_acquire) != 0)
    cpu_relax();
  request_lock.store(false, std::memory_order_release);
}

}  // namespace

void answer_shootdown() {
  Cpu& cpu = this_cpu();
  if (!cpu.shootdown_pending.exchange(false, std::memory_order_acq_rel)) return;
  if (request_root != 0) {
    if ((read_cr3() & kPteAddress) == request_root) load_kernel_root(cpu);
  } else {
    flush_tagged(cpu, request_start, request_end, request_tag);
  }
  request_waiting.fetch_sub(1, std::memory_order_acq_rel);
}

void flush_range(u64 start, u64 end, u64 cpus, TlbTag tag) {
  Cpu& cpu = this_cpu();
  const u64 self = u64{1} << cpu.id;
  if ((cpus & self) != 0) flush_tagged(cpu, start, end, tag);
  if ((cpus & ~self) != 0) ask(cpus & ~self, start, end, 0, tag);
}

void load_root(Cpu& cpu, mm::PhysAddr root, TlbTag tag) {
  if (!features.pcid) return write_cr3(mm::raw(root));
  const PcidSlots::Choice choice = cpu.pcids.load(tag);
  write_cr3(mm::raw(root) | choice.pcid | (choice.keep ? kCr3Keep : 0));
}

void drop_root_elsewhere(u64 root, u64 cpus) {
  const u64 self = u64{1} << this_cpu().id;
  if ((read_cr3() & kPteAddress) == root) load_kernel_root(this_cpu());
  if ((cpus & ~self) != 0) ask(cpus & ~self, 0, 0, root, {});
}

}  // namespace uni::arch
