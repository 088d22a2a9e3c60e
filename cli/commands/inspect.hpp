// SPDX-License-Identifier: Apache-2.0
// `uni inspect`: what an image holds, or what an image of a program would hold, and whether the kernel can run it.
#pragma once

#include <string>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct InspectOptions {
  std::string subject;  // an image, a manifest or a program
  std::string sysroot = "/";
  bool json = false;
};

// Prints the report to stdout. 0 where the program runs, with or without notes; kUnsupported where it will not.
Expected<int> run_inspect(const InspectOptions& options);

}  // namespace uni
