// SPDX-License-Identifier: Apache-2.0
// The parts of a sparse file that are not holes (lseek(2), SEEK_DATA).
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace uni {

// Calls `data(begin, end)` for each part of [from, to) that is no hole, in order, until it gives false. All of it is
// data where the file system cannot tell. False where `data` ended it or the file cannot be read.
template <typename Data>
bool for_data_ranges(int fd, std::uint64_t from, std::uint64_t to, Data data) {
  while (from < to) {
    const off_t begin = ::lseek(fd, static_cast<off_t>(from), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) return true;  // holes up to the file's end
    if (begin < 0 && errno == EINVAL) return data(from, to);
    if (begin < 0) return false;
    const off_t end = ::lseek(fd, begin, SEEK_HOLE);
    if (end < 0) return false;
    if (static_cast<std::uint64_t>(begin) >= to) return true;
    if (!data(static_cast<std::uint64_t>(begin), std::min(to, static_cast<std::uint64_t>(end)))) return false;
    from = static_cast<std::uint64_t>(end);
  }
  return true;
}

}  // namespace uni
