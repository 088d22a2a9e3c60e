// SPDX-License-Identifier: Apache-2.0
// Reads ACPI tables (ACPI 6.5, chapter 5). Tables are the firmware's word and not trusted: every address, length and
// checksum is checked, and a bad table counts as absent. No allocation, no hardware access: tested and fuzzed on the
// host.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"
#include "kernel/dev/devices.hpp"

namespace uni::dev::acpi {

// Physical memory. Gives the bytes [address, address + size), or null where they cannot be read.
class Memory {
 public:
  virtual const u8* at(u64 address, usize size) = 0;

 protected:
  ~Memory() = default;
};

// Generic address structure (5.2.3.2), as far as it concerns registers.
struct Register {
  enum Space : u8 { kMemory = 0, kPort = 1 };
  u8 space = 0;
  u64 address = 0;  // 0: there is none
};

struct IsaOverride {
  u8 irq;
  u32 gsi;
  bool active_low;
  bool level;
};

// A virtio-mmio device of the DSDT (_HID LNRO0005, _CRS).
struct VirtioMmio {
  u64 address;
  u32 gsi;
  bool edge;
};

inline constexpr usize kMostProcessors = 256;
inline constexpr usize kMostIoApics = 8;
inline constexpr usize kMostOverrides = 16;

struct Tables {
  bool found = false;
  Processor processors[kMostProcessors] = {};  // enabled ones
  usize processor_count = 0;
  IoApic io_apics[kMostIoApics] = {};
  usize io_apic_count = 0;
  IsaOverride overrides[kMostOverrides] = {};
  usize override_count = 0;

  u64 ecam = 0;  // segment 0's configuration space for bus `ecam_first_bus`; 0 where there is none
  u8 ecam_first_bus = 0, ecam_last_bus = 0;

  bool hardware_reduced = false;
  Register sleep_control, reset;
  Register pm1a_control, pm1b_control;
  u8 reset_value = 0;

  Span<const u8> dsdt;  // the AML behind the header
};

// Fills `out`. `rsdp` 0: it is looked for in the BIOS area (5.2.5.1).
void read_tables(Memory& memory, u64 rsdp, Tables& out);

// SLP_TYP of the S5 state from the DSDT's \_S5 package; false where there is none.
bool find_s5(Span<const u8> aml, u8* sleep_type);
// The next virtio-mmio device at or behind *position, which is moved behind it; false at the end.
bool next_virtio_mmio(Span<const u8> aml, usize* position, VirtioMmio* out);

}  // namespace uni::dev::acpi
