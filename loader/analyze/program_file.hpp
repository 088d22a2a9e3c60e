// SPDX-License-Identifier: Apache-2.0
// Whether a file is a program at all. A mode says little: archives, mounts and careless hands give data the x bit.
#pragma once

#include <filesystem>

namespace uni {

// A regular file with an x bit that begins as an ELF file or as a script does. False where it cannot be read.
bool is_program_file(const std::filesystem::path& file);

}  // namespace uni
