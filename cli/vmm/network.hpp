// SPDX-License-Identifier: Apache-2.0
// The machine's network on the host: QEMU's user network, or passt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/vmm/process.hpp"
#include "cli/vmm/spec.hpp"

namespace uni::vmm {

enum class NetworkChoice { kNone, kUser, kPasst };

// What the guest is told (docs/IMAGE.md, `net`). Both kinds of network give it the same addresses.
inline constexpr const char* kStaticNetwork = "static:10.0.2.15/24,10.0.2.2,10.0.2.3";

// A network that is ready for QEMU. Keep it as long as the machine lives.
struct HostNetwork {
  Network spec;
  std::optional<Process> passt;
  Fd qemu_end;
};

// Checks that each published port is free, so that the failure names the port, and starts passt where it is chosen.
// Failures have status 125. Blocks for as long as passt takes to start.
Expected<HostNetwork> make_network(NetworkChoice choice, const std::vector<Publish>& published, HostLoopback loopback);

}  // namespace uni::vmm
