// SPDX-License-Identifier: Apache-2.0
// The first line of a script, as the kernel reads it (execve(2), "Interpreter scripts").
#pragma once

#include <optional>
#include <string>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/file.hpp"

namespace uni {

struct ScriptLine {
  std::string interpreter;
  std::string argument;  // all that follows, as one argument; empty where there is none
};

// Nothing where the file does not begin with `#!`. Fails (kBadInput) where the kernel would refuse the line: no
// interpreter, or one that is cut at the 256 bytes that the kernel reads.
Expected<std::optional<ScriptLine>> read_script_line(const InputFile& file);

// The command that `env ARGUMENT` executes (env(1)): options and assignments are stepped over, `-S` is split at blanks.
// Empty where there is none.
std::string env_command(const std::string& argument);

}  // namespace uni
