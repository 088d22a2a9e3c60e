// SPDX-License-Identifier: Apache-2.0
// Which accelerator QEMU gets.
#pragma once

#include <string_view>

#include "cli/vmm/spec.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

// `choice` is auto, kvm or tcg. auto gives KVM where a virtual machine with a processor can really be made (the device
// alone proves nothing: it opens on hosts without hardware support, too), else TCG. kvm fails (125) where it cannot.
Expected<Accel> choose_accel(std::string_view choice);

}  // namespace uni::vmm
