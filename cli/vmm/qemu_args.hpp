// SPDX-License-Identifier: Apache-2.0
// QEMU's command line for a machine. A pure function of the specification.
#pragma once

#include <string>
#include <vector>

#include "cli/vmm/spec.hpp"

namespace uni::vmm {

// The argument vector, argv[0] first. Every descriptor in `spec` is meant to have the same number in the child.
std::vector<std::string> qemu_arguments(const std::string& program, const MachineSpec& spec);

// The mount tag of the share with that index, as the guest finds it.
std::string share_tag(std::size_t index);

// A value inside a QEMU option list: commas are doubled (qemu(1), "-drive file=").
std::string option_value(std::string_view text);

}  // namespace uni::vmm
