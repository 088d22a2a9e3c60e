// SPDX-License-Identifier: Apache-2.0
// Opens an image that `uni pack` wrote: where its parts lie, and the boot configuration in it (docs/IMAGE.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "cli/image/boot_config.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni {

// A byte range of the image file.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct ImageInfo {
  std::filesystem::path path;
  std::uint64_t size = 0;  // the file's, holes included
  ByteRange kernel;        // exactly the kernel's ELF file, without the partition's padding
  ByteRange root;          // the ext4 partition
  ByteRange manifest;      // the manifest's partition, NUL-padded; empty where there is none
  BootConfig config;
};

// Whether the file begins like a GPT disk (so it is meant to be an image), as opposed to an ELF file or a manifest.
// False also where it cannot be read.
bool looks_like_image(const std::filesystem::path& path);

// Reads and checks the partition table, the boot configuration and the kernel's ELF header. An image that was cut at
// any byte, or whose table is damaged, fails with one kBadInput diagnostic that names the file; a file that cannot be
// read fails too. Reads about 1 MiB, blocks on the disk only.
Expected<ImageInfo> open_image(const std::filesystem::path& path);

// The kernel's ELF file, at most a few MiB.
Expected<std::vector<char>> read_kernel(const ImageInfo& image);

// The manifest's text; empty where the image has none.
Expected<std::string> read_manifest_text(const ImageInfo& image);

}  // namespace uni
