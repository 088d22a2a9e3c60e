// SPDX-License-Identifier: Apache-2.0
// Starts the other processors one after the other (INIT, then STARTUP; SDM volume 3, 8.4.4). Each gets its block,
// stack, tables, scheduler queue, and goes to its idle loop.
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/mm/page_init.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/time/timer_queue.hpp"

extern "C" {
extern const char trampoline_start[], trampoline_end[], trampoline_data[];
}

namespace uni::arch {
namespace {

constexpr usize kIdleStack = 16 * kKiB;

struct TrampolineData {
  u64 root, stack, entry, argument;
  u16 gdt_limit;
  u16 gdt_base[2];
  u16 pad;
  u32 far_offset;
  u16 far_selector;
};

// A page below 1 MiB that the loader says is memory, or 0.
u64 find_low_page() {
  for (u64 page : {u64{0x8000}, u64{0x9000}, u64{0x10000}, u64{0x20000}, u64{0x60000}}) {
    for (usize i = 0; i < boot::info().memory_count; ++i) {
      const boot::MemoryRange& r = boot::info().memory[i];
      if (r.usable && r.start <= page && page + kPageSize <= r.start + r.size) return page;
    }
  }
  return 0;
}

extern "C" [[noreturn]] void secondary_main(Cpu* cpu) {
  // GS first: compiled code reads the stack protector's word there, and this function has no protected frame before.
  wrmsr(kMsrGsBase, reinterpret_cast<u64>(cpu));
  load_cpu_tables(*cpu);
  enable_features();
  write_cr3(layout.root_table);
  apic_enable_local();
  if (features.rdtscp) wrmsr(0xc0000103, cpu->id);
  cpu->online.store(true, std::memory_order_release);
  sched::idle_loop();
}

void short_delay(u64 ns) {
  const u64 end = time::monotonic_ns() + ns;
  while (time::monotonic_ns() < end)
    cpu_relax();
}

bool start_one(u32 id, u64 low_page) {
  auto* cpu = new (std::nothrow) Cpu{};
  auto* stack = static_cast<char*>(::operator new(kIdleStack, std::nothrow));
  if (cpu == nullptr || stack == nullptr) return false;
  cpu->apic_id = id;
  cpu->self = cpu;
  cpu->canary = this_cpu().canary;
  register_cpu(*cpu);
  mm::init_cpu_pages(cpu->id);
  time::init_cpu_timers(cpu->id);
  if (!sched::init_cpu(cpu->id).ok()) return false;

  auto* page = static_cast<char*>(mm::phys_to_virt(mm::PhysAddr{low_page}));
  const auto size = static_cast<usize>(trampoline_end - trampoline_start);
  __builtin_memcpy(page, trampoline_start, size);
  auto* data = reinterpret_cast<TrampolineData*>(page + (trampoline_data - trampoline_start));
  data->root = layout.root_table;
  data->stack = reinterpret_cast<u64>(stack) + kIdleStack - 16;
  data->entry = reinterpret_cast<u64>(&secondary_main);
  data->argument = reinterpret_cast<u64>(cpu);
  const u64 gdt = low_page + static_cast<u64>(trampoline_data - trampoline_start) + 48;
  data->gdt_base[0] = static_cast<u16>(gdt);
  data->gdt_base[1] = static_cast<u16>(gdt >> 16);
  data->far_offset += static_cast<u32>(low_page);

  // The trampoline runs at its physical address for an instant with paging on.
  auto* top = static_cast<u64*>(mm::phys_to_virt(mm::PhysAddr{layout.root_table}));
  mm::Page* l3 = mm::alloc_page(mm::Zero::kYes);
  mm::Page* l2 = mm::alloc_page(mm::Zero::kYes);
  if (l3 == nullptr || l2 == nullptr) return false;
  static_cast<u64*>(mm::address_of(*l2))[0] = 0 | kPteHuge | kPtePresent | kPteWrite;
  static_cast<u64*>(mm::address_of(*l3))[0] = mm::raw(mm::phys_of(*l2)) | kPtePresent | kPteWrite;
  top[0] = mm::raw(mm::phys_of(*l3)) | kPtePresent | kPteWrite;

  send_init(id);
  short_delay(200'000);
  for (int attempt = 0; attempt < 2 && !cpu->online; ++attempt) {
    send_startup(id, static_cast<u8>(low_page >> 12));
    const u64 limit = time::monotonic_ns() + (attempt == 0 ? 20 * time::kMillisecond : time::kSecond);
    while (!cpu->online.load(std::memory_order_acquire) && time::monotonic_ns() < limit)
      cpu_relax();
  }
  const bool up = cpu->online;
  top[0] = 0;
  write_cr3(read_cr3());
  if (up) {
    mm::put_page(*l2);
    mm::put_page(*l3);
  }
  return up;
}

}  // namespace

void start_other_cpus() {
  if (features.rdtscp) wrmsr(0xc0000103, 0);
  const u64 low_page = find_low_page();
  for (const dev::Processor& p : dev::acpi_processors()) {
    if (p.apic_id == this_cpu().apic_id) continue;
    if (registered_cpus() == kMaxCpus || low_page == 0 || !start_one(p.apic_id, low_page)) {
      log::warn("processor {} did not start", p.apic_id);
      return;
    }
  }
}

}  // namespace uni::arch
