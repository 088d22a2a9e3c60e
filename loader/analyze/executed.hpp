// SPDX-License-Identifier: Apache-2.0
// Programs that the closure's own code names when it executes others.
#pragma once

#include "loader/analyze/closure_builder.hpp"

namespace uni {

// Where an object imports a function that executes a path (execv, posix_spawn and so on), every string constant in it
// that is the absolute path of an executable file is taken along. A shell is not: that is for a person to decide, so a
// note says it. What such a program lacks itself is a note too.
Expected<void> add_executed_programs(ClosureBuilder& builder);

}  // namespace uni
