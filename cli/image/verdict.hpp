// SPDX-License-Identifier: Apache-2.0
// Whether the kernel of this build can run what a manifest describes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/manifest.hpp"

namespace uni {

struct Verdict {
  enum class Kind { Runs, RunsWithNotes, WillNotRun } kind = Kind::Runs;
  std::vector<std::string> reasons;  // of WillNotRun
  std::vector<std::string> notes;
};

// Compares the system calls found with the one table. A missing call that no program starts without refuses the
// program; another missing call is a note, because code that is there need not run.
Verdict judge(const Manifest& manifest);

// "runs", "runs with notes" or "will not run".
std::string_view verdict_name(Verdict::Kind kind);

}  // namespace uni
