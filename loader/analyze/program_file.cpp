// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/program_file.hpp"

#include <elf.h>

#include <string_view>

#include "loader/analyze/file.hpp"

namespace uni {

bool is_program_file(const std::filesystem::path& file) {
  const auto input = InputFile::open(file);
  if (!input || (input->mode() & 0111) == 0) return false;
  char head[SELFMAG] = {};
  const auto got = input->read_some(0, head);
  if (!got) return false;
  const std::string_view begin(head, *got);
  return begin.starts_with("#!") || begin == std::string_view(ELFMAG, SELFMAG);
}

}  // namespace uni
