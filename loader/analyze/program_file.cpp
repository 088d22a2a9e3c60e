// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/program_file.hpp"

#include <string_view>

#include "loader/analyze/file.hpp"

namespace uni {

namespace {
constexpr char kMagic[] = {'\x7f', 'E', 'L', 'F'};
constexpr std::string_view kElfMagic(kMagic, sizeof kMagic);
}  // namespace

bool is_program_file(const std::filesystem::path& file) {
  const auto input = InputFile::open(file);
  if (!input || (input->mode() & 0111) == 0) return false;
  char head[4] = {};
  const auto got = input->read_some(0, head);
  if (!got) return false;
  const std::string_view begin(head, *got);
  return begin.starts_with("#!") || begin == kElfMagic;
}

}  // namespace uni
