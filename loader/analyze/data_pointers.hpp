// SPDX-License-Identifier: Apache-2.0
// The addresses that lie in an object's data when it is loaded.
#pragma once

#include <cstdint>
#include <vector>

#include "loader/analyze/elf_image.hpp"

namespace uni {

struct DataPointer {
  std::uint64_t where = 0;
  std::uint64_t target = 0;  // where `symbol` is 0
  unsigned symbol = 0;       // index in ElfImage::dynamic
};

// By `where`: what relocations put there; in a file at a fixed address, which has none for its own pointers, every
// aligned word that could be an address. Not those of the global offset table.
std::vector<DataPointer> data_pointers(const ElfImage& image);

}  // namespace uni
