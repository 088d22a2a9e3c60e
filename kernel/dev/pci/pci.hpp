// SPDX-License-Identifier: Apache-2.0
// PCI configuration space (PCI 3.0; PCI Express base 3.0, 7.2): through ECAM where ACPI's MCFG gives it, else through
// ports 0xcf8 and 0xcfc.
#pragma once

#include "kernel/arch/interrupts.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni::dev::pci {

struct Function {
  u8 bus, device, function;

  u8 read8(u16 at) const;
  u16 read16(u16 at) const;
  u32 read32(u16 at) const;
  void write16(u16 at, u16 value) const;
  void write32(u16 at, u32 value) const;

  u16 vendor() const { return read16(0x00); }
  u16 device_id() const { return read16(0x02); }
  // Lets the device answer memory accesses and do DMA.
  void enable() const;
  // Physical address of base address register `index`; 0 where it is for ports, or not set.
  u64 bar(unsigned index) const;
  // Offset of the first capability `id` behind `after` (0: from the start); 0 where there is none.
  u8 find_capability(u8 id, u8 after = 0) const;
};

// Calls visit for each function there is.
void each_function(void (*visit)(void* context, const Function&), void* context);

// A function's MSI-X table (PCI 3.0, 6.8.2).
class MsiX {
 public:
  // Finds and enables it, all entries masked. Errors: NoDevice, NoMemory.
  Result<void> open(const Function& function);
  u16 size() const { return size_; }
  // Sends entry `index` to a handler of its own. Errors: NoSpace, Invalid.
  Result<void> route(u16 index, arch::IrqHandler handler, void* context);

 private:
  volatile u32* table_ = nullptr;
  u16 size_ = 0;
};

}  // namespace uni::dev::pci
