// SPDX-License-Identifier: Apache-2.0
// Cuts data into pieces and finds the pointers of one.
#include "loader/analyze/data_map.hpp"

#include <algorithm>

namespace uni {
namespace {

constexpr std::uint64_t kAlignment = 32;

}  // namespace

DataMap::DataMap(const ElfImage& image, const CodeScan& scan) : pointers_(data_pointers(image)) {
  begins_ = image.data_starts;
  begins_.push_back(0);
  const auto add = [&](std::uint64_t address) {
    if (address % kAlignment == 0 && !image.is_code(address)) begins_.push_back(address);
  };
  for (const CodeEvent& e : scan.events) {
    if (e.kind == CodeEvent::Kind::Address) add(e.target);
  }
  for (const DataPointer& p : pointers_) {
    if (p.symbol == 0) add(p.target);
  }
  for (const ImageSymbol& s : image.dynamic) {
    if (s.defined && !s.function) add(s.address);
  }
  std::ranges::sort(begins_);
  begins_.erase(std::unique(begins_.begin(), begins_.end()), begins_.end());
}

std::pair<std::size_t, std::size_t> DataMap::pieces_of(std::uint64_t address) const {
  if (begins_.empty()) return {0, 0};
  const auto first = std::ranges::upper_bound(begins_, address);
  const auto last = std::ranges::upper_bound(first, begins_.end(), address + kFolded);
  return {static_cast<std::size_t>(first - begins_.begin()) - 1, static_cast<std::size_t>(last - begins_.begin())};
}

std::pair<const DataPointer*, const DataPointer*> DataMap::pointers_of(std::size_t piece) const {
  const auto first = std::ranges::lower_bound(pointers_, begins_[piece], {}, &DataPointer::where);
  const auto last = piece + 1 < begins_.size()
                        ? std::ranges::lower_bound(first, pointers_.end(), begins_[piece + 1], {}, &DataPointer::where)
                        : pointers_.end();
  return {pointers_.data() + (first - pointers_.begin()), pointers_.data() + (last - pointers_.begin())};
}

}  // namespace uni
