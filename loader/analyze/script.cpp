// SPDX-License-Identifier: Apache-2.0
// Reads `#!` lines by the rules of Linux's fs/binfmt_script.c as execve(2) documents them.
#include "loader/analyze/script.hpp"

#include <sstream>

namespace uni {
namespace {

constexpr std::size_t kLineLimit = 256;  // BINPRM_BUF_SIZE since Linux 5.1
constexpr const char* kBlanks = " \t";

}  // namespace

Expected<std::optional<ScriptLine>> read_script_line(const InputFile& file) {
  char buffer[kLineLimit] = {};
  const auto got = file.read_some(0, buffer);
  if (!got) return std::unexpected(got.error());
  std::string line(buffer, *got);
  if (!line.starts_with("#!")) return std::nullopt;
  const std::size_t end = line.find_first_of(std::string_view("\n\0", 2));
  const bool cut = end == std::string::npos && *got == kLineLimit;
  line = line.substr(2, end == std::string::npos ? end : end - 2);
  line.erase(line.find_last_not_of(kBlanks) + 1);
  line.erase(0, line.find_first_not_of(kBlanks));
  const std::size_t blank = line.find_first_of(kBlanks);
  if (line.empty() || (cut && blank == std::string::npos)) {
    return fail({.what = "is a script without an interpreter",
                 .where = file.path().string(),
                 .why = line.empty() ? "its first line ends behind `#!`" : "its first line is longer than 255 bytes",
                 .hint = "begin it with `#!/bin/sh`, say"});
  }
  ScriptLine out;
  out.interpreter = line.substr(0, blank);
  if (blank != std::string::npos) out.argument = line.substr(line.find_first_not_of(kBlanks, blank));
  return out;
}

std::string env_command(const std::string& argument) {
  // Without -S the kernel's one argument is one word for env.
  const std::size_t split = argument.find("-S");
  if (split != 0 && !argument.starts_with("-vS") && !argument.starts_with("--split-string=")) {
    return argument.starts_with('-') || argument.find('=') != std::string::npos ? std::string() : argument;
  }
  std::istringstream words(argument.substr(argument.find_first_of(argument.starts_with("--") ? "=" : "S") + 1));
  for (std::string word; words >> word;) {
    if (!word.starts_with('-') && word.find('=') == std::string::npos) return word;
  }
  return {};
}

}  // namespace uni
