// SPDX-License-Identifier: Apache-2.0
// What a run or a trace has taught: lines of text, as `uni run --log` and `uni trace -o` write them, and what they add
// to a closure and a manifest (docs/TRACE.md).
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "cli/trace/tracer.hpp"
#include "loader/analyze/closure.hpp"
#include "manifests/manifest.hpp"

namespace uni::trace {

struct Learned {
  std::string reason;               // "traced" or "learned from a run"
  std::set<std::string> files;      // absolute paths; directories too
  std::vector<AddedPath> placed;    // files named relative to the working directory; `guest` is relative
  std::vector<std::string> looked;  // absolute paths that were looked at, in that order
  std::set<std::string> programs;   // absolute paths
  std::set<unsigned> calls;
  std::set<unsigned> ports;
  std::string processes = "none";  // the permission that was used or refused
};

// The record as the lines of a trace file.
std::string trace_text(const Record& record);

// Reads a trace file or a run's log, adding to `learned`. Fails (kBadInput) on a file that is neither.
Expected<void> read_learned(const std::filesystem::path& file, Learned& learned);
Learned learned_of(const Record& record);

// Adds calls, ports and the permission to a manifest.
void add_learned(const Learned& learned, Manifest& manifest);
// Adds the files and programs that are still lacking to an existing manifest, with what programs and libraries need.
// Fails as find_closure() does.
Expected<void> add_learned_files(const Learned& learned, Manifest& manifest);
// The same for a closure that is still to be found.
void add_learned(const Learned& learned, ClosureRequest& request);

}  // namespace uni::trace
