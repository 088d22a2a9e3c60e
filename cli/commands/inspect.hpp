// SPDX-License-Identifier: Apache-2.0
// `uni inspect`: what an image holds, or what an image of a program would hold, and whether the kernel can run it.
#pragma once

#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct InspectOptions {
  std::vector<std::string> subjects;  // images, manifests or programs: one, or two for the difference
  std::string sysroot = "/";
  bool json = false;
  bool diff = false;
  std::string html;               // a file for the page; empty: none
  std::vector<std::string> sbom;  // the format and the file, or nothing
};

// Prints the report to stdout, or writes the bill of material. 0 where the program runs, with or without notes;
// kUnsupported where it will not.
Expected<int> run_inspect(const InspectOptions& options);

}  // namespace uni
