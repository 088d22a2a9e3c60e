// SPDX-License-Identifier: Apache-2.0
// `uni completions`: scripts for shells, and manual pages, made from the options that the parser itself has, so that
// they cannot say anything else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/commands/commands.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni {

// One flag or option of a verb, as a shell or a manual page needs it.
struct OptionRow {
  std::vector<std::string> names;    // with their dashes; empty for what stands without a flag
  std::string value;                 // what it takes: "IMAGE"; empty for a flag
  std::vector<std::string> choices;  // the words that it takes, where there is such a list
  std::string text;
  bool repeats = false;
};

struct VerbRow {
  std::string name;
  std::string text;
  std::string footer;
  std::vector<OptionRow> options;
};

// All verbs that `uni --help` shows.
std::vector<VerbRow> verb_rows(const CLI::App& app);

std::string bash_completion(const std::vector<VerbRow>& verbs);
std::string zsh_completion(const std::vector<VerbRow>& verbs);
std::string fish_completion(const std::vector<VerbRow>& verbs);

// uni(1) and uni-VERB(1) as roff, by file name.
std::vector<std::pair<std::string, std::string>> manual_pages(const std::vector<VerbRow>& verbs);

void add_completions(CLI::App& app, Verbs& verbs);

}  // namespace uni
