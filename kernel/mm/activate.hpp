// SPDX-License-Identifier: Apache-2.0
// Puts an address space on the processor that runs the current thread, for exec. kernel/mm/translations.cpp.
#pragma once

namespace uni::mm {
class AddressSpace;
// The current thread's process must already own `space`.
void activate(AddressSpace& space);
}  // namespace uni::mm
