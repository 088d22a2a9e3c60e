// SPDX-License-Identifier: Apache-2.0
// The verbs of the command line. A verb is a file pair with `add_VERB(CLI::App&, Verbs&)`: it declares its flags, and
// sets `verbs.chosen` in its callback.
#pragma once

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct Verbs {
  // What stands after `--`: the program's own arguments, which the parser never sees.
  std::vector<std::string> program_arguments;
  // What the parsed verb does: gives the process's exit status.
  std::function<Expected<int>()> chosen;
  // `uni run` reports its own failures with 125, as Docker does (DESIGN.md section 5).
  bool is_run = false;
  // Gives `uni run` the image of a program or a manifest.
  std::function<Expected<std::filesystem::path>(const std::string&)> image_for;

  Expected<int> run() const { return chosen(); }
  ExitCode failure_code() const { return is_run ? ExitCode::kRunFailed : ExitCode::kEnvironment; }
  ExitCode usage_code(int argc, char** argv) const {
    return argc > 1 && std::strcmp(argv[1], "run") == 0 ? ExitCode::kRunFailed : ExitCode::kUsage;
  }
};

void add_verbs(CLI::App& app, Verbs& verbs);
void add_pack(CLI::App& app, Verbs& verbs);
void add_run(CLI::App& app, Verbs& verbs);
void add_inspect(CLI::App& app, Verbs& verbs);
void add_syscalls(CLI::App& app, Verbs& verbs);

}  // namespace uni
