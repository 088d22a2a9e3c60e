// SPDX-License-Identifier: Apache-2.0
// What both of the project's programs do with their command line: parse -> verb -> one diagnostic -> exit status.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cli/commands/commands.hpp"

namespace uni {

// Parses, runs the chosen verb and reports its failure. `add` declares the verbs; `image_for` is Verbs::image_for.
// Gives the process's exit status. Blocks as the verb does.
int command_line(int argc, char** argv, const std::function<void(CLI::App&, Verbs&)>& add,
                 std::function<Expected<std::filesystem::path>(const std::string&)> image_for);

}  // namespace uni
