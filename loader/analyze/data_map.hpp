// SPDX-License-Identifier: Apache-2.0
// The pointers in an object's data, and which lie together: a function that has the address of a table may use every
// pointer in it, one that has not may not.
#pragma once

#include <cstdint>
#include <vector>

#include "loader/analyze/code_scan.hpp"
#include "loader/analyze/data_pointers.hpp"
#include "loader/analyze/elf_image.hpp"

namespace uni {

// Data is cut where an object may begin: at an address that code or data refers to and that is a multiple of 32, to
// which compilers align what is that large; and where sections begin. A piece may hold several small objects.
class DataMap {
 public:
  // The furthest that the first entry in use may lie behind the address that code has.
  static constexpr std::uint64_t kFolded = 64;

  DataMap() = default;
  DataMap(const ElfImage& image, const CodeScan& scan);

  std::size_t pieces() const { return begins_.size(); }
  // The pieces that code may mean which refers to `address`: it is in them, or they begin within the next bytes,
  // because compilers fold an index that does not begin at 0 into the address.
  std::pair<std::size_t, std::size_t> pieces_of(std::uint64_t address) const;
  // The pointers of a piece: first and behind the last.
  std::pair<const DataPointer*, const DataPointer*> pointers_of(std::size_t piece) const;

 private:
  std::vector<std::uint64_t> begins_;  // sorted
  std::vector<DataPointer> pointers_;  // by `where`
};

}  // namespace uni
