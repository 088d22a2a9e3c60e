// SPDX-License-Identifier: Apache-2.0
// Digests of files that this process has read already, so that what has not changed since need not be digested twice.
#pragma once

#include <string>

#include "loader/analyze/file.hpp"

namespace uni {

// What tells that a file is still the same: device, inode, size and times (stat(2)).
struct FileStamp {
  unsigned long device = 0, inode = 0, size = 0;
  long changed_seconds = 0, changed_nanoseconds = 0;
  auto operator<=>(const FileStamp&) const = default;
};

// Taken from the open file. All zeros where that fails.
FileStamp stamp_of(const InputFile& file);

// Remembers a digest of all bytes of a file. `before` was taken before it was read. A file that changed during the
// reading or within the last two seconds is not remembered: its times may not tell the next change. Thread-safe.
void remember_digest(const InputFile& file, const FileStamp& before, const std::string& digest);

// The digest of a file that is unchanged since it was remembered; empty where that is not known. Thread-safe.
std::string remembered_digest(const InputFile& file);

}  // namespace uni
