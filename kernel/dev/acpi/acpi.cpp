// SPDX-License-Identifier: Apache-2.0
// The machine's ACPI tables, kept as facts, and the ways to switch it off.
#include "kernel/arch/cpu.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/acpi/facts.hpp"
#include "kernel/dev/devices.hpp"

namespace uni::dev {
namespace {

constinit acpi::Tables tables;

// Tables lie in ranges that the loader's memory map names, which the direct map covers, or in the first MiB.
class PhysicalMemory final : public acpi::Memory {
 public:
  const u8* at(u64 address, usize size) override {
    if (address < kMiB && size <= kMiB - address) return view(address);
    const boot::Info& info = boot::info();
    for (usize i = 0; i < info.memory_count; ++i) {
      const boot::MemoryRange& r = info.memory[i];
      if (address >= r.start && address - r.start < r.size && size <= r.size - (address - r.start)) {
        return view(address);
      }
    }
    return nullptr;
  }

 private:
  static const u8* view(u64 address) { return static_cast<const u8*>(mm::phys_to_virt(mm::PhysAddr{address})); }
};

void write_register(const acpi::Register& r, u16 value, bool wide) {
  if (r.address == 0) return;
  if (r.space == acpi::Register::kPort) {
    const u16 port = static_cast<u16>(r.address);
    if (wide)
      arch::out16(port, value);
    else
      arch::out8(port, static_cast<u8>(value));
  } else if (r.space == acpi::Register::kMemory) {
    volatile void* at = mm::map_device(mm::PhysAddr{r.address}, 2);
    if (at == nullptr) return;
    if (wide)
      *static_cast<volatile u16*>(at) = value;
    else
      *static_cast<volatile u8*>(at) = static_cast<u8>(value);
  }
}

}  // namespace

const acpi::Tables& acpi::facts() {
  return tables;
}

void acpi_init(u64 rsdp) {
  PhysicalMemory memory;
  acpi::read_tables(memory, rsdp, tables);
  // A machine without tables (microvm with acpi=off) has the IOAPIC where every PC has its first.
  if (tables.io_apic_count == 0) tables.io_apics[tables.io_apic_count++] = {0xfec00000, 0};
}

Span<const Processor> acpi_processors() {
  return {tables.processors, tables.processor_count};
}

Span<const IoApic> acpi_io_apics() {
  return {tables.io_apics, tables.io_apic_count};
}

u32 acpi_isa_gsi(u8 irq, bool* level_low) {
  *level_low = false;
  for (usize i = 0; i < tables.override_count; ++i) {
    const acpi::IsaOverride& o = tables.overrides[i];
    if (o.irq != irq) continue;
    *level_low = o.level && o.active_low;
    return o.gsi;
  }
  return irq;
}

void power_off() {
  constexpr u16 kSleepEnable8 = 1u << 5, kSleepEnable16 = 1u << 13;  // ACPI 6.5, 4.8.3.7 and 4.8.3.2.1
  u8 type = tables.hardware_reduced ? 5 : 0;                         // what QEMU's machines use
  acpi::find_s5(tables.dsdt, &type);
  if (tables.hardware_reduced) {
    write_register(tables.sleep_control, static_cast<u16>(type << 2 | kSleepEnable8), false);
  } else if (tables.found) {
    write_register(tables.pm1a_control, static_cast<u16>(type << 10 | kSleepEnable16), true);
    write_register(tables.pm1b_control, static_cast<u16>(type << 10 | kSleepEnable16), true);
  }
  // The machine stops a moment later, not at the write.
  for (int i = 0; tables.found && i < 100'000; ++i)
    arch::cpu_relax();
  // Without tables: the power-management ports of q35 and of pc.
  arch::out16(0x604, kSleepEnable16);
  arch::out16(0xb004, kSleepEnable16);
  // A reset ends a machine that runs with -no-reboot.
  write_register(tables.reset, tables.reset_value, false);
  arch::out8(0xcf9, 0x06);
  arch::out8(0x64, 0xfe);
}

}  // namespace uni::dev
