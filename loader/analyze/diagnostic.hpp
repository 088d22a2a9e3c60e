// SPDX-License-Identifier: Apache-2.0
// The one error type of the host side. Facts are filled in where the failure happens; callers add context going up; it
// is printed once, by cli/report, in main.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace uni {

// Exit statuses of every verb but `run` (DESIGN.md section 5).
enum class ExitCode : int {
  kDone = 0,
  kBadInput = 1,     // the input is wrong
  kUsage = 2,        // the command line is wrong
  kUnsupported = 3,  // the program needs what the kernel lacks
  kEnvironment = 4,  // something is lacking here: QEMU, disk space, a free port
  kRunFailed = 125,  // `uni run`: uni itself failed
};

struct Diagnostic {
  std::string what;   // the failure, lower case, no final period: "not an ELF file"
  std::string where;  // the file or thing it is about: "/usr/bin/foo", may be empty
  std::string why;    // the reason in more detail: "the first bytes are `#!`", may be empty
  std::string hint;   // what the user can do, may be empty
  ExitCode code = ExitCode::kBadInput;
};

template <typename T>
using Expected = std::expected<T, Diagnostic>;

inline std::unexpected<Diagnostic> fail(Diagnostic d) {
  return std::unexpected<Diagnostic>(std::move(d));
}

}  // namespace uni
