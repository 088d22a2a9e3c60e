// SPDX-License-Identifier: Apache-2.0
// Start-up of the machine's devices, called by kernel/boot/main.cpp in this order.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::dev {

// ACPI tables (RSDP physical address, 0 when unknown): processors, IOAPICs, power-off, PCI ECAM.
void acpi_init(u64 rsdp);
struct Processor {
  u32 apic_id;
};
struct IoApic {
  u64 address;
  u32 gsi_base;
};
Span<const Processor> acpi_processors();
Span<const IoApic> acpi_io_apics();
// The gsi and trigger for a legacy ISA interrupt (MADT overrides).
u32 acpi_isa_gsi(u8 irq, bool* level_low);
// Powers off by ACPI (hardware-reduced sleep register or PM1), then by other ways; returns when none worked.
void power_off();

// Finds virtio devices on MMIO (command line `virtio_mmio.device=`, ACPI) and PCI, and starts their drivers.
void probe(StringView command_line);

}  // namespace uni::dev
