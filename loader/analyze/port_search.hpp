// SPDX-License-Identifier: Apache-2.0
// Ports that the program's own code binds, where a constant says so: socket addresses made of constants in a function
// that calls bind(2), the service that such a function gives to getaddrinfo(3), Go's net.Listen. Tells more of a
// program and limits nothing.
#pragma once

#include <vector>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/syscalls_used.hpp"

namespace uni {

// By number; then one with number 0 for each function that binds a port which is computed at run time.
std::vector<PortUse> find_ports(const CallGraph& graph);

}  // namespace uni
