// SPDX-License-Identifier: Apache-2.0
// Makes the ext4 root (docs/IMAGE.md) out of a list of files, with libext2fs, without root privilege.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cli/image/sparse_io.hpp"
#include "loader/analyze/closure.hpp"

namespace uni {

using FileMap = std::map<std::string, FileEntry>;

struct RootOptions {
  std::array<std::uint8_t, 16> uuid{};
  std::int64_t time = 0;  // of every inode and of the superblock, seconds since 1970
  // Told of each file's bytes as they are written, by one thread at a time.
  std::function<void(std::uint64_t, const std::string&)> progress = [](std::uint64_t, const std::string&) {};
};

// The partition's size in bytes: what the files need, and 1 GiB for the program to write.
std::uint64_t root_size(const FileMap& files);

// Writes the file system into `output` at `offset`. Every file must still have its recorded digest (kBadInput
// otherwise). Uses memory for the metadata and a buffer for each processor, whatever the size of the files.
Expected<void> write_root(OutputFile& output, std::uint64_t offset, std::uint64_t size, const FileMap& files,
                          const RootOptions& options);

}  // namespace uni
