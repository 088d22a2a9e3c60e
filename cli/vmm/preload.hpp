// SPDX-License-Identifier: Apache-2.0
// The library that is preloaded into the network helper: a long queue for published ports (preload/listen.c says why),
// and no way to the host's loopback (preload/loopback.c).
#pragma once

#include <string>
#include <vector>

#include "cli/vmm/fd.hpp"
#include "cli/vmm/spec.hpp"

namespace uni::vmm {

// The library as a file in memory, to be kept open in the child.
Expected<Fd> preload_library();

// The child's environment for that descriptor; an `LD_PRELOAD` of our own stays in force behind it.
std::vector<std::string> preload_environment(int library, HostLoopback loopback);

}  // namespace uni::vmm
