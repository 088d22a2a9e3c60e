// SPDX-License-Identifier: Apache-2.0
// Device interrupts. Handlers run with interrupts off and no lock held by the interrupted code
// (kernel/sync/spinlock.hpp): they may take spin locks and wake threads; they must not block.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni::arch {

using IrqHandler = void (*)(void* context);
enum class Trigger : u8 { kEdgeHigh, kLevelLow, kLevelHigh };

// Routes global system interrupt `gsi` (IOAPIC) to a handler on the boot processor. Handlers of one gsi share it.
// Errors: NoDevice (no IOAPIC has it), NoSpace (vectors are out).
Result<void> register_gsi(u32 gsi, Trigger trigger, IrqHandler handler, void* context);

// A vector of its own for an MSI or MSI-X entry: write `address` and `data` into the device.
struct MsiMessage {
  u64 address;
  u32 data;
};
Result<MsiMessage> register_msi(IrqHandler handler, void* context);

}  // namespace uni::arch
