// SPDX-License-Identifier: Apache-2.0
// Reads the ext4 root of an image back, with libext2fs, and checks that it is consistent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cli/image/reader.hpp"
#include "loader/analyze/closure.hpp"

namespace uni {

struct RootEntry {
  FileEntry::Kind kind = FileEntry::Kind::File;
  unsigned mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::string target;  // of a symlink
  std::string sha256;  // of a file
  std::string sha1;    // of a file, where it is asked for
};

enum class WithSha1 { No, Yes };

// Every entry but /lost+found, by guest path, with the digest of every file. Fails (kBadInput) with the first thing
// that is inconsistent: a checksum of the metadata, a block or inode that is used but free in its bitmap or used twice,
// a wrong link count, an entry that is no file, directory or symlink. Reads the whole content.
Expected<std::map<std::string, RootEntry>> read_root(const ImageInfo& image, WithSha1 with_sha1,
                                                     const std::function<void(std::uint64_t)>& progress);

}  // namespace uni
