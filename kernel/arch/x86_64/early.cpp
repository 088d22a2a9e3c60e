// SPDX-License-Identifier: Apache-2.0
// The first C++ of the kernel. Runs at the load address with an identity map of the first GiB; reads the loader's
// memory map, builds the final page tables (kernel image at a random address with one protection a segment, direct map
// of all memory at another), applies the relocations, and goes on at high_main. Nothing here may use a pointer table
// before relocate().
#include "kernel/arch/x86_64/early.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/boot/boot_info.hpp"

extern "C" {
extern char kernel_start[], kernel_rodata_start[], kernel_data_start[], kernel_end[], rela_start[], rela_end[];
extern char boot_stack_top[];
}

namespace uni::arch {

KernelLayout layout;
EarlyMemory early_memory;

namespace {

constexpr u64 kLinkBase = 0xffffffff80000000;

struct PvhStartInfo {  // xen/include/public/arch-x86/hvm/start_info.h
  u32 magic, version, flags, module_count;
  u64 modules, command_line, rsdp, memory_map;
  u32 memory_map_entries, reserved;
};
struct PvhModule {
  u64 address, size, command_line, reserved;
};
struct PvhMemory {
  u64 address, size;
  u32 type, reserved;
};
struct Rela {
  u64 offset, info;
  i64 addend;
};

[[noreturn]] void halt() {
  while (true)
    asm volatile("cli; hlt");
}

u64 early_random() {
  u64 x = read_cycle_counter_early();
  if ((cpuid(1).ecx & (1u << 30)) != 0) {
    u64 r = 0;
    asm volatile("rdrand %0" : "=r"(r)::"cc");
    x ^= r;
  }
  // splitmix64's finaliser: a counter alone must still spread over all bits.
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void add_range(u64 address, u64 size, bool usable) {
  EarlyMemory& m = early_memory;
  if (m.count < sizeof m.ranges / sizeof m.ranges[0] && size != 0) m.ranges[m.count++] = {address, size, usable};
}

void read_pvh(const PvhStartInfo* info) {
  const auto* memory = reinterpret_cast<const PvhMemory*>(info->memory_map);
  for (u32 i = 0; i < info->memory_map_entries; ++i)
    add_range(memory[i].address, memory[i].size, memory[i].type == 1);
  early_memory.command_line = info->command_line;
  early_memory.rsdp = info->rsdp;
  if (info->module_count > 0) {
    const auto* module = reinterpret_cast<const PvhModule*>(info->modules);
    early_memory.module = module->address;
    early_memory.module_size = module->size;
  }
}

// Offsets of struct boot_params (Documentation/arch/x86/zero-page).
void read_linux(const u8* params) {
  auto word = [params](u32 at) { return u64{*reinterpret_cast<const u32*>(params + at)}; };
  const u8 entries = params[0x1e8];
  for (u32 i = 0; i < entries; ++i) {
    const u8* e = params + 0x2d0 + 20 * i;
    add_range(*reinterpret_cast<const u64*>(e), *reinterpret_cast<const u64*>(e + 8),
              *reinterpret_cast<const u32*>(e + 16) == 1);
  }
  early_memory.command_line = word(0x228) | word(0xc8) << 32;
  early_memory.rsdp = *reinterpret_cast<const u64*>(params + 0x70);
  early_memory.module = word(0x218) | word(0xc0) << 32;
  early_memory.module_size = word(0x21c) | word(0xc4) << 32;
}

u64 take_page() {
  const u64 page = early_memory.next;
  early_memory.next += kPageSize;
  // Early tables must lie in the first GiB (identity map) and in usable memory; a loader that gives less is not
  // supported.
  auto* words = reinterpret_cast<u64*>(page);
  for (usize i = 0; i < kPageSize / 8; ++i)
    words[i] = 0;
  return page;
}

u64* table_for(u64* table, u64 index) {
  if ((table[index] & kPtePresent) == 0) table[index] = take_page() | kPtePresent | kPteWrite;
  return reinterpret_cast<u64*>(table[index] & kPteAddress);
}

void map_small(u64 root, u64 address, u64 physical, u64 flags) {
  auto* l4 = reinterpret_cast<u64*>(root);
  u64* l3 = table_for(l4, (address >> 39) & 511);
  u64* l2 = table_for(l3, (address >> 30) & 511);
  u64* l1 = table_for(l2, (address >> 21) & 511);
  l1[(address >> 12) & 511] = physical | flags | kPtePresent | kPteGlobal | kPteAccessed | kPteDirty;
}

void map_huge(u64 root, u64 address, u64 physical, u64 flags) {
  auto* l4 = reinterpret_cast<u64*>(root);
  u64* l3 = table_for(l4, (address >> 39) & 511);
  u64* l2 = table_for(l3, (address >> 30) & 511);
  l2[(address >> 21) & 511] = physical | flags | kPtePresent | kPteGlobal | kPteHuge | kPteAccessed | kPteDirty;
}

void map_image(u64 root, u64 physical, u64 slide) {
  const u64 start = reinterpret_cast<u64>(kernel_start);
  const u64 rodata = reinterpret_cast<u64>(kernel_rodata_start) - start;
  const u64 data = reinterpret_cast<u64>(kernel_data_start) - start;
  const u64 end = reinterpret_cast<u64>(kernel_end) - start;
  for (u64 at = 0; at < end; at += kPageSize) {
    const u64 flags = at < rodata ? 0 : at < data ? u64{kPteNoExec} : kPteNoExec | kPteWrite;
    map_small(root, kLinkBase + 0x100000 + slide + at, physical + at, flags);
  }
}

void map_direct(u64 root, u64 base) {
  for (usize i = 0; i < early_memory.count; ++i) {
    const EarlyMemory::Range& r = early_memory.ranges[i];
    // Firmware tables lie in small reserved ranges: they are mapped too, big ones are device windows.
    if (!r.usable && (r.size > 64 * kMiB || r.start >= 0xfe000000)) continue;
    const u64 end = align_up(r.start + r.size, kHugeSize);
    for (u64 at = align_down(r.start, kHugeSize); at < end; at += kHugeSize)
      map_huge(root, base + at, at, kPteNoExec | kPteWrite);
  }
  map_huge(root, base, 0, kPteNoExec | kPteWrite);  // the first MiB: trampoline, firmware tables
}

void relocate(u64 physical, u64 slide) {
  const u64 to_physical = physical - (kLinkBase + 0x100000);
  for (auto* r = reinterpret_cast<const Rela*>(rela_start); r < reinterpret_cast<const Rela*>(rela_end); ++r) {
    if ((r->info & 0xffffffff) != 8) halt();  // only R_X86_64_RELATIVE is ever linked in
    *reinterpret_cast<u64*>(r->offset + to_physical) = static_cast<u64>(r->addend) + slide;
  }
}

}  // namespace

extern "C" [[noreturn]] void early_main(u64 info, u64 kind) {
  const u64 physical = reinterpret_cast<u64>(kernel_start);  // position-independent: the address that we run at
  if (kind == 0)
    read_pvh(reinterpret_cast<const PvhStartInfo*>(info));
  else
    read_linux(reinterpret_cast<const u8*>(info));
  const u64 size = reinterpret_cast<u64>(kernel_end) - physical;
  early_memory.next = page_up(physical + size);
  // Tables and the page records follow; a module that lies there is stepped over.
  u64 top = 0;
  for (usize i = 0; i < early_memory.count; ++i) {
    const EarlyMemory::Range& r = early_memory.ranges[i];
    if (r.usable && r.start + r.size > top) top = r.start + r.size;
  }
  const u64 needed = 128 * kPageSize + (top >> kPageShift) * sizeof(mm::Page);
  const u64 module_end = early_memory.module + early_memory.module_size;
  if (early_memory.module < early_memory.next + needed && module_end > early_memory.next)
    early_memory.next = page_up(module_end);

  const u64 random = early_random();
  const u64 slide = (random % 448) * kHugeSize;                                 // in [-2 GiB, -1 GiB)
  const u64 direct = 0xffff'8800'0000'0000 + ((random >> 16) % 0x4000) * kGiB;  // up to ffff'c800'..., below the stacks
  const u64 root = take_page();
  map_image(root, physical, slide);
  map_direct(root, direct);
  // The identity map stays until high_main has left it behind.
  auto* l4 = reinterpret_cast<u64*>(root);
  l4[0] = *reinterpret_cast<u64*>(read_cr3() & kPteAddress);
  // The half of the kernel that grows later (stacks, devices) gets its level-3 tables now, so that every address space
  // shares them.
  table_for(l4, (kKernelRangeBase >> 39) & 511);
  relocate(physical, slide);
  layout = {kLinkBase + 0x100000, slide, physical, size, direct, root};

  if (kind != 0) wrmsr(kMsrEfer, rdmsr(kMsrEfer) | 0x901);
  write_cr4(read_cr4() | (1u << 7));  // global pages
  const u64 high = kLinkBase + 0x100000 + slide;
  const u64 entry = reinterpret_cast<u64>(&high_main) - physical + high;
  const u64 stack = reinterpret_cast<u64>(boot_stack_top) - physical + high;
  // SAFETY: `root` maps this code (identity), the entry and the stack.
  asm volatile("mov %0, %%cr3; mov %1, %%rsp; xor %%ebp, %%ebp; call *%2" ::"r"(root), "r"(stack), "r"(entry)
               : "memory");
  __builtin_unreachable();
}

}  // namespace uni::arch
