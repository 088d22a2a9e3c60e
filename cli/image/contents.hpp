// SPDX-License-Identifier: Apache-2.0
// The files' bytes on their way into the image: read, digested and written on all processors, in a buffer each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/image/sparse_io.hpp"
#include "loader/analyze/closure.hpp"

namespace uni {

// Where a part of a file lies in the window.
struct Extent {
  std::uint64_t disk = 0;
  std::uint64_t size = 0;  // in bytes
};

struct ContentJob {
  const std::string* path = nullptr;
  const FileEntry* entry = nullptr;
  std::vector<Extent> extents;  // in the file's order, entry->size bytes in all
};

// Copies all of them. Each file must still have its recorded size and digest: else kBadInput, for the first of the jobs
// that has not. What has not changed since it was digested here is not digested again. A failed write is kEnvironment.
// `progress` is called by one thread at a time.
Expected<void> copy_contents(SparseWindow& window, const std::vector<ContentJob>& jobs,
                             const std::function<void(std::uint64_t, const std::string&)>& progress);

// What a failed write of the image is to the user.
Diagnostic write_failure(int number);

}  // namespace uni
