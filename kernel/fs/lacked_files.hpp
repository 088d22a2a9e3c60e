// SPDX-License-Identifier: Apache-2.0
// Files that the program wanted to open and that are not there: the last ones, each once. They are told to the host
// when the program has failed (docs/IMAGE.md, `missing-file`), so that a run that succeeds pays next to nothing.
#pragma once

#include "kernel/base/span.hpp"

namespace uni::fs {

// Takes down a path: `text`, below `directory` where it is relative. What is too long for a control line is left out.
// Does not block, does not fail.
void note_lacked_file(StringView directory, StringView text);

// Sends one control line for each, the oldest first.
void tell_lacked_files();

}  // namespace uni::fs
