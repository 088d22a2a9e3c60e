// SPDX-License-Identifier: Apache-2.0
// Files that the program asked for and that are not there: the last ones, each once. They are told to the host when the
// program has failed (docs/IMAGE.md, `missing-file`, `missing-path`), so that a run that succeeds pays next to nothing.
#pragma once

#include "kernel/base/span.hpp"

namespace uni::fs {

// How a file was asked for. Run-time systems look for many files that they do without, so these have a list of their
// own.
enum class Asked : u8 {
  kOpened,
  kLookedAt,  // stat(2), access(2), readlink(2), chdir(2) and their like
};

// Takes down a path: `text`, below `directory` where it is relative. What is too long for a control line is left out,
// and what lies in /proc, /sys and /dev: no image has that. Does not block, does not fail.
void note_lacked_file(Asked how, StringView directory, StringView text);

// Sends one control line for each, what was opened first, the oldest first.
void tell_lacked_files();

}  // namespace uni::fs
