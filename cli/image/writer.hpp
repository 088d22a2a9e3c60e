// SPDX-License-Identifier: Apache-2.0
// Writes an image (docs/IMAGE.md): GPT, kernel, boot configuration, ext4 root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "cli/image/boot_config.hpp"
#include "cli/image/gpt.hpp"
#include "cli/image/root.hpp"

namespace uni {

struct ImageRequest {
  std::filesystem::path output;
  std::filesystem::path kernel;  // the kernel's ELF file
  BootConfig config;
  std::string manifest;            // the text that goes into the last partition
  const FileMap* files = nullptr;  // with digests, parents of every path included
  std::int64_t time = 0;           // of everything in the file system
};

// Writes the image under a temporary name and renames it; a failure leaves nothing behind. The bytes depend on the
// kernel, the configuration, the files and the time alone. Fails with kBadInput where a file changed meanwhile, with
// kEnvironment where the kernel is missing or the disk full.
Expected<void> write_image(const ImageRequest& request);

// The disk's identifier: made of a digest over all of these, so it tells whether one was exchanged. `config` is
// encoded.
gpt::Guid disk_guid(std::string_view kernel, const std::string& config, const std::string& manifest,
                    const FileMap& files);

}  // namespace uni
