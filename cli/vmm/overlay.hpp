// SPDX-License-Identifier: Apache-2.0
// The private, throw-away layer over an image: an empty qcow2 file.
#pragma once

#include <cstdint>
#include <string>

#include "cli/vmm/fd.hpp"

namespace uni::vmm {

// The bytes of an empty qcow2 file of that virtual size, without a backing name (QEMU is told the backing node).
std::string empty_qcow2(std::uint64_t size);

// A nameless temporary file with that content.
Expected<Fd> make_overlay(std::uint64_t size);

}  // namespace uni::vmm
