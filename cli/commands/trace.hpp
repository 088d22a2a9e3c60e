// SPDX-License-Identifier: Apache-2.0
// `uni trace`: runs a program on this machine and takes down what it uses.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/commands.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct TraceOptions {
  std::string output;    // the trace file; empty: none
  std::string manifest;  // a manifest to add to; empty: none
  std::vector<std::string> arguments;
};

// Runs the program and gives its status, 128 + N for signal N. Failures of our own have status 125. Without an output
// file and a manifest the trace is printed on stderr, because stdout is the program's.
Expected<int> run_trace(const TraceOptions& options);

void add_trace(CLI::App& app, Verbs& verbs);

}  // namespace uni
