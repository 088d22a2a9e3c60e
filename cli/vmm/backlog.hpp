// SPDX-License-Identifier: Apache-2.0
// Makes a child listen with a long queue (preload/listen.c says why).
#pragma once

#include <string>

#include "cli/vmm/fd.hpp"

namespace uni::vmm {

// The library as a file in memory, to be kept open in the child.
Expected<Fd> backlog_library();

// The child's environment variable `LD_PRELOAD=...` for that descriptor; keeps what our own has.
std::string preload_variable(int library);

}  // namespace uni::vmm
