// SPDX-License-Identifier: Apache-2.0
// Programs and libraries that the closure's own code names when it executes and opens others.
#pragma once

#include "loader/analyze/closure_builder.hpp"

namespace uni {

// Where an object imports a function that executes a path (execv, posix_spawn and so on), every string constant in it
// that is the absolute path of an executable file is taken along. A shell is not: that is for a person to decide, so a
// note says it. What such a program lacks itself is a note too.
Expected<void> add_executed_programs(ClosureBuilder& builder);

// Where an object imports dlopen, every string constant in it that is a bare library name (libNAME.so, libNAME.so.N)
// and that ld.so would find is taken along. What such a library lacks itself is a note.
Expected<void> add_opened_libraries(ClosureBuilder& builder);

}  // namespace uni
