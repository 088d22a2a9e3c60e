// SPDX-License-Identifier: Apache-2.0
// A kernel that the user names: whether a machine can begin with it at all, before QEMU says so in its own words.
#pragma once

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/file.hpp"

namespace uni::vmm {

// Fails (kBadInput) where the file is no ELF file for x86-64 or lacks the note that names its entry (the PVH boot
// protocol, as in Xen's `XEN_ELFNOTE_PHYS32_ENTRY`).
Expected<void> check_kernel(const InputFile& file);

}  // namespace uni::vmm
