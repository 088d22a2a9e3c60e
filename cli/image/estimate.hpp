// SPDX-License-Identifier: Apache-2.0
// What an image and a machine of a manifest will take, before either exists.
#pragma once

#include <cstdint>
#include <filesystem>

#include "manifests/manifest.hpp"

namespace uni {

struct Estimate {
  // Of the disk, in bytes. What files hold in zeros is not looked at, so the image may take less.
  std::uint64_t disk = 0;
  // Memory in bytes with which the program can start: the kernel, and each program and library wholly in the page
  // cache. What the program allocates comes on top.
  std::uint64_t memory = 0;
};

// `kernel` is the kernel's file; without it the image is told without one.
Estimate estimate_of(const Manifest& manifest, const std::filesystem::path& kernel);

}  // namespace uni
