// SPDX-License-Identifier: Apache-2.0
// The boot configuration that a manifest asks for.
#pragma once

#include "cli/image/boot_config.hpp"
#include "manifests/manifest.hpp"

namespace uni {

BootConfig boot_config(const Manifest& manifest);

}  // namespace uni
