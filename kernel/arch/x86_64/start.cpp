// SPDX-License-Identifier: Apache-2.0
// From the relocated kernel's first instruction to kernel_main: the boot processor's block, descriptor tables, control
// bits.
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/early.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/mm/page_init.hpp"

extern "C" {
extern char trap_stubs[];
void syscall_entry();
alignas(16) char boot_stack[32768];
}
asm(".globl boot_stack_top\n.set boot_stack_top, boot_stack + 32768");

namespace uni::arch {
namespace {

struct IdtEntry {
  u16 low, selector;
  u8 ist, type;
  u16 middle;
  u32 high, reserved;
};
struct __attribute__((packed)) TablePointer {
  u16 limit;
  u64 base;
};

constinit Cpu boot_cpu{};
IdtEntry idt[256];
alignas(16) char fatal_stacks[2][8192];  // shared by all processors: whoever gets there ends the machine

void fill_idt() {
  for (unsigned v = 0; v < 256; ++v) {
    const u64 stub = reinterpret_cast<u64>(trap_stubs) + 16 * v;
    // Interrupt gates (interrupts off); #BP and #OF may come from user mode.
    const u8 type = (v == 3 || v == 4) ? 0xee : 0x8e;
    const u8 ist = v == 8 ? 1 : (v == 2 || v == 18) ? 2 : v == 1 ? 3 : 0;
    idt[v] = {static_cast<u16>(stub),       kKernelCs, ist, type, static_cast<u16>(stub >> 16),
              static_cast<u32>(stub >> 32), 0};
  }
}

}  // namespace

void load_cpu_tables(Cpu& cpu) {
  cpu.self = &cpu;
  cpu.gdt[0] = 0;
  cpu.gdt[1] = 0x00cf9b000000ffff;  // 0x08: 32-bit kernel code, never used
  cpu.gdt[2] = 0x00af9b000000ffff;  // 0x10: kernel code
  cpu.gdt[3] = 0x00cf93000000ffff;  // 0x18: kernel data
  cpu.gdt[4] = 0x00cffb000000ffff;  // 0x20: 32-bit user code
  cpu.gdt[5] = 0x00cff3000000ffff;  // 0x28: user data
  cpu.gdt[6] = 0x00affb000000ffff;  // 0x30: user code
  cpu.gdt[7] = 0;
  const u64 tss = reinterpret_cast<u64>(&cpu.tss);
  cpu.gdt[8] = (sizeof(TaskState) - 1) | ((tss & 0xffffff) << 16) | (u64{0x89} << 40) | ((tss >> 24 & 0xff) << 56);
  cpu.gdt[9] = tss >> 32;
  cpu.tss.io_map_base = sizeof(TaskState);
  cpu.tss.ist[0] = reinterpret_cast<u64>(fatal_stacks[0]) + sizeof fatal_stacks[0];
  cpu.tss.ist[1] = reinterpret_cast<u64>(fatal_stacks[1]) + sizeof fatal_stacks[1];
  cpu.tss.ist[2] = reinterpret_cast<u64>(cpu.debug_stack) + sizeof cpu.debug_stack;

  const TablePointer gdt{sizeof cpu.gdt - 1, reinterpret_cast<u64>(cpu.gdt)};
  const TablePointer idt_pointer{sizeof idt - 1, reinterpret_cast<u64>(idt)};
  // SAFETY: the table has the same code and data selectors as the one in use; CS is reloaded by the far return.
  asm volatile(
      "lgdt %0\n lidt %1\n"
      "push $0x10\n lea 1f(%%rip), %%rax\n push %%rax\n lretq\n1:\n"
      "mov $0x18, %%eax\n mov %%eax, %%ss\n xor %%eax, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov %%eax, %%fs\n "
      "mov %%eax, %%gs\n"
      "mov $0x40, %%eax\n ltr %%ax"
      :
      : "m"(gdt), "m"(idt_pointer)
      : "rax", "memory");
  wrmsr(kMsrGsBase, reinterpret_cast<u64>(&cpu));
  wrmsr(kMsrKernelGsBase, 0);
  wrmsr(kMsrStar, (u64{0x23} << 48) | (u64{kKernelCs} << 32));
  wrmsr(kMsrLstar, reinterpret_cast<u64>(&syscall_entry));
  wrmsr(kMsrSfmask, 0x47700 | 0x10000);  // IF, TF, DF, IOPL, NT, AC, RF
}

extern "C" [[noreturn]] void high_main() {
  fill_idt();
  load_cpu_tables(boot_cpu);
  boot_cpu.canary = read_cycle_counter_early() * 0x9e3779b97f4a7c15 & ~u64{0xff};
  boot_cpu.online = true;
  register_cpu(boot_cpu);
  detect_features();
  enable_features();
  // The identity map has served.
  static_cast<u64*>(mm::phys_to_virt(mm::PhysAddr{layout.root_table}))[0] = 0;
  write_cr3(layout.root_table);
  mm::init_pages();
  boot::kernel_main();
}

}  // namespace uni::arch

// The stack protector found its word changed (GCC's -fstack-protector).
extern "C" [[noreturn]] void __stack_chk_fail() {
  PANIC("kernel stack overrun");
}
