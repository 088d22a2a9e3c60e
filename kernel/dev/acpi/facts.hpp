// SPDX-License-Identifier: Apache-2.0
// The tables of this machine, for the drivers.
#pragma once

#include "kernel/dev/acpi/tables.hpp"

namespace uni::dev::acpi {

// Valid after acpi_init; empty where the machine has no ACPI.
const Tables& facts();

}  // namespace uni::dev::acpi
