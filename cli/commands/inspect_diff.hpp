// SPDX-License-Identifier: Apache-2.0
// What changed from one manifest to another: for the review of a release.
#pragma once

#include <string>

#include "manifests/manifest.hpp"

namespace uni {

enum class DiffFormat { Text, Json };

// Files, packages, system calls and permissions, gained and lost; an empty text where nothing differs.
std::string diff_manifests(const Manifest& before, const Manifest& after, DiffFormat format);

}  // namespace uni
