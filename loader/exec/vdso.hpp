// SPDX-License-Identifier: Apache-2.0
// The vDSO: clock functions that run in user mode (vdso(7)).
#pragma once

#include "kernel/base/result.hpp"

namespace uni::mm {
class AddressSpace;
}
namespace uni::exec {

// Maps the data page and the code into `space` and notes the address. Errors: NoMemory.
Result<void> map_vdso(mm::AddressSpace& space);
// The wall clock was set: writes the data page anew.
void update_vdso();

}  // namespace uni::exec
