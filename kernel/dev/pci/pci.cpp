// SPDX-License-Identifier: Apache-2.0
// Configuration space, base address registers, capabilities and MSI-X. Base addresses are taken as the firmware set
// them; we assign none. Devices are not trusted: capability lists are walked with a bound.
#include "kernel/dev/pci/pci.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/dev/acpi/facts.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::dev::pci {
namespace {

constexpr u16 kAddressPort = 0xcf8, kDataPort = 0xcfc;
constexpr u16 kCommand = 0x04, kStatus = 0x06, kHeaderType = 0x0e, kBar0 = 0x10, kSecondaryBus = 0x19,
              kCapabilities = 0x34;
constexpr u8 kMsiXId = 0x11;

constinit SpinLock ports{Rank::kLeaf};

// ECAM windows of the buses in use: a MiB each, mapped when a bus is first looked at.
volatile u8* windows[256];

volatile u8* ecam(const Function& f) {
  const acpi::Tables& t = acpi::facts();
  if (t.ecam == 0 || f.bus < t.ecam_first_bus || f.bus > t.ecam_last_bus) return nullptr;
  if (windows[f.bus] == nullptr) {
    const u64 base = t.ecam + (u64{f.bus} - t.ecam_first_bus) * kMiB;
    windows[f.bus] = static_cast<volatile u8*>(mm::map_device(mm::PhysAddr{base}, kMiB));
    if (windows[f.bus] == nullptr) return nullptr;
  }
  return windows[f.bus] + (u32{f.device} << 15 | u32{f.function} << 12);
}

u32 port_address(const Function& f, u16 at) {
  return 0x80000000u | u32{f.bus} << 16 | u32{f.device} << 11 | u32{f.function} << 8 | (at & 0xfcu);
}

}  // namespace

u32 Function::read32(u16 at) const {
  // SAFETY: a window is 4 KiB a function, and registers are read at their alignment.
  if (volatile u8* e = ecam(*this); e != nullptr) return *reinterpret_cast<volatile u32*>(e + at);
  LockGuard lock(ports);
  arch::out32(kAddressPort, port_address(*this, at));
  return arch::in32(kDataPort);
}

u16 Function::read16(u16 at) const {
  return static_cast<u16>(read32(at & 0xfffc) >> (at % 4 * 8));
}

u8 Function::read8(u16 at) const {
  return static_cast<u8>(read32(at & 0xfffc) >> (at % 4 * 8));
}

void Function::write32(u16 at, u32 value) const {
  if (volatile u8* e = ecam(*this); e != nullptr) {
    *reinterpret_cast<volatile u32*>(e + at) = value;
    return;
  }
  LockGuard lock(ports);
  arch::out32(kAddressPort, port_address(*this, at));
  arch::out32(kDataPort, value);
}

void Function::write16(u16 at, u16 value) const {
  if (volatile u8* e = ecam(*this); e != nullptr) {
    *reinterpret_cast<volatile u16*>(e + at) = value;
    return;
  }
  LockGuard lock(ports);
  arch::out32(kAddressPort, port_address(*this, at));
  arch::out16(static_cast<u16>(kDataPort + at % 4), value);
}

void Function::enable() const {
  constexpr u16 kMemory = 2, kMaster = 4, kNoIntx = 0x400;
  write16(kCommand, static_cast<u16>(read16(kCommand) | kMemory | kMaster | kNoIntx));
}

u64 Function::bar(unsigned index) const {
  if (index > 5) return 0;
  const u16 at = static_cast<u16>(kBar0 + 4 * index);
  const u32 low = read32(at);
  if ((low & 1) != 0) return 0;
  const bool wide = (low & 6) == 4;
  if (wide && index == 5) return 0;
  return (low & ~15u) | (wide ? u64{read32(static_cast<u16>(at + 4))} << 32 : 0);
}

u8 Function::find_capability(u8 id, u8 after) const {
  if (after == 0 && (read16(kStatus) & 0x10) == 0) return 0;
  u8 at = after == 0 ? read8(kCapabilities) : read8(static_cast<u16>(after + 1));
  for (int i = 0; i < 48 && at >= 0x40; ++i) {
    at &= 0xfc;
    const u16 header = read16(at);
    if ((header & 0xff) == id) return at;
    at = static_cast<u8>(header >> 8);
  }
  return 0;
}

namespace {

void each_on_bus(u8 bus, int depth, void (*visit)(void* context, const Function&), void* context) {
  for (u8 device = 0; device < 32; ++device) {
    u8 functions = 1;
    for (u8 n = 0; n < functions; ++n) {
      const Function f{bus, device, n};
      if (f.vendor() == 0xffff) {
        // No host bridge: this machine has no PCI at all.
        if (bus == 0 && device == 0 && n == 0) return;
        continue;
      }
      const u8 type = f.read8(kHeaderType);
      if (n == 0 && (type & 0x80) != 0) functions = 8;
      if ((type & 0x7f) == 1) {
        const u8 behind = f.read8(kSecondaryBus);
        if (behind > bus && depth < 4) each_on_bus(behind, depth + 1, visit, context);
      } else {
        visit(context, f);
      }
    }
  }
}

}  // namespace

void each_function(void (*visit)(void* context, const Function&), void* context) {
  each_on_bus(0, 0, visit, context);
}

Result<void> MsiX::open(const Function& function) {
  const u8 at = function.find_capability(kMsiXId);
  if (at == 0) return Errno::NoDevice;
  constexpr u16 kEnable = 0x8000;
  const u16 control = function.read16(static_cast<u16>(at + 2));
  size_ = static_cast<u16>((control & 0x7ff) + 1);
  const u32 where = function.read32(static_cast<u16>(at + 4));
  const u64 base = function.bar(where & 7);
  if (base == 0) return Errno::NoDevice;
  table_ = static_cast<volatile u32*>(mm::map_device(mm::PhysAddr{base + (where & ~7u)}, usize{size_} * 16));
  if (table_ == nullptr) return Errno::NoMemory;
  function.write16(static_cast<u16>(at + 2), static_cast<u16>((control & 0x3fff) | kEnable));
  return {};
}

Result<void> MsiX::route(u16 index, arch::IrqHandler handler, void* context) {
  if (index >= size_) return Errno::Invalid;
  const arch::MsiMessage m = TRY(arch::register_msi(handler, context));
  volatile u32* entry = table_ + usize{index} * 4;
  entry[0] = static_cast<u32>(m.address);
  entry[1] = static_cast<u32>(m.address >> 32);
  entry[2] = m.data;
  entry[3] = 0;  // unmasked
  return {};
}

}  // namespace uni::dev::pci
