// SPDX-License-Identifier: Apache-2.0
// psABI 4.4.1 for the relocations' types.
#include "loader/analyze/data_pointers.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace uni {

std::vector<DataPointer> data_pointers(const ElfImage& image) {
  std::vector<DataPointer> out;
  for (const ImageRelocation& r : image.relocations) {
    if (image.is_got(r.where)) continue;
    if (r.type == R_X86_64_RELATIVE || r.type == R_X86_64_IRELATIVE) {
      out.push_back({r.where, static_cast<std::uint64_t>(r.addend), 0});
    } else if (r.type == R_X86_64_64 && r.symbol != 0 && r.symbol < image.dynamic.size()) {
      out.push_back({r.where, 0, r.symbol});
    }
  }
  if (!image.header.position_independent) {
    for (const LoadSegment& s : image.header.segments) {
      const std::string_view bytes = image.at(s.address);
      for (std::uint64_t at = (8 - s.address % 8) % 8; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + at, sizeof value);
        if (image.is_mapped(value) && !image.is_code(s.address + at)) out.push_back({s.address + at, value, 0});
      }
    }
    std::ranges::stable_sort(out, {}, &DataPointer::where);
  }
  return out;
}

}  // namespace uni
