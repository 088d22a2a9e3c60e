// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/go_functions.hpp"

#include <algorithm>
#include <optional>

namespace uni {
namespace {

constexpr std::uint64_t kMostFunctions = 1 << 22;
constexpr std::size_t kLongestName = 4096;

// Where the parts of a table lie, as addresses.
struct Layout {
  std::uint64_t functions = 0;  // pairs: a function's beginning, where its record lies from `records`
  std::uint64_t records = 0;    // each begins with the function's beginning, then the place of its name from `names`
  std::uint64_t names = 0;
  std::uint64_t count = 0;
  std::uint64_t text = 0;   // what beginnings are relative to
  std::uint64_t width = 0;  // of a pair's members and of a record's first one, in bytes
};

class PclnTable {
 public:
  PclnTable(const ElfImage& image, std::uint64_t table, std::uint64_t text)
      : image_(image), table_(table), text_(text) {}

  std::vector<ImageSymbol> functions() const {
    std::vector<ImageSymbol> out;
    const auto layout = read_layout();
    if (!layout) return out;
    for (std::uint64_t i = 0; i < layout->count; ++i) {
      const auto function = function_at(*layout, i);
      if (!function) break;
      if (image_.is_code(function->address)) out.push_back(*function);
    }
    return out;
  }

 private:
  std::optional<std::uint64_t> number(std::uint64_t address, std::uint64_t width) const {
    if (width == 8) return image_.read<std::uint64_t>(address);
    return image_.read<std::uint32_t>(address);
  }

  // The header's word `index` behind its eight bytes of magic number and sizes; 0 where the file ends.
  std::uint64_t word(std::uint64_t index) const { return number(table_ + 8 + index * 8, 8).value_or(0); }

  // In a position-independent program the linker leaves the header's pointer to a relocation.
  std::uint64_t stated_text() const {
    const std::uint64_t slot = table_ + 8 + 2 * 8;
    const auto r = std::ranges::lower_bound(image_.relocations, slot, {}, &ImageRelocation::where);
    if (r != image_.relocations.end() && r->where == slot) return static_cast<std::uint64_t>(r->addend);
    const std::uint64_t stated = word(2);
    return image_.is_code(stated) ? stated : text_;
  }

  std::optional<Layout> read_layout() const {
    const auto magic = image_.read<std::uint32_t>(table_);
    const auto pointer = image_.read<std::uint8_t>(table_ + 7);
    if (!magic || !pointer || *pointer != 8) return std::nullopt;
    const std::uint64_t count = std::min(word(0), kMostFunctions);
    switch (*magic) {
      case 0xfffffffb:  // 1.2
        return Layout{table_ + 16, table_, table_, count, 0, 8};
      case 0xfffffffa:  // 1.16
        return Layout{table_ + word(6), table_ + word(6), table_ + word(2), count, 0, 8};
      case 0xfffffff0:  // 1.18
      case 0xfffffff1:  // 1.20
        return Layout{table_ + word(7), table_ + word(7), table_ + word(3), count, stated_text(), 4};
      default:
        return std::nullopt;
    }
  }

  std::optional<ImageSymbol> function_at(const Layout& layout, std::uint64_t index) const {
    const std::uint64_t pair = layout.functions + index * 2 * layout.width;
    const auto begin = number(pair, layout.width);
    const auto record = number(pair + layout.width, layout.width);
    if (!begin || !record) return std::nullopt;
    const auto name_at = image_.read<std::uint32_t>(layout.records + *record + layout.width);
    if (!name_at) return std::nullopt;
    const auto name = image_.text_at(layout.names + *name_at, kLongestName);
    if (!name) return std::nullopt;
    return ImageSymbol{*name, layout.text + *begin, 0, true, true};
  }

  const ElfImage& image_;
  std::uint64_t table_;
  std::uint64_t text_;
};

}  // namespace

std::vector<ImageSymbol> go_functions(const ElfImage& image, std::uint64_t table, std::uint64_t text) {
  return PclnTable(image, table, text).functions();
}

}  // namespace uni
