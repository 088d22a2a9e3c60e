// SPDX-License-Identifier: Apache-2.0
// The only writer to stdout and stderr. Data goes to stdout, everything else to stderr (DESIGN.md section 5).
#pragma once

#include <string>
#include <string_view>

#include "loader/analyze/diagnostic.hpp"

namespace uni::report {

// Prints `uni: error: WHERE: WHAT: WHY` and, where there is one, `hint: HINT` on stderr. Returns the exit status.
int error(const Diagnostic& d);

// One line `uni: warning: ...` on stderr.
void warning(std::string_view text);

// One line `hint: ...` on stderr, for what is found out after a program's own failure.
void hint(std::string_view text);

// One line `uni: TEXT` on stderr, for what a person wants to know (what was written and where).
void note(std::string_view text);

// A text for the user's terminal: control characters, which could make two lines or drive it, become `?`.
std::string printable(std::string_view text);

// Data for the user or a pipe, to stdout as it is. A closed pipe is not an error of ours.
void data(std::string_view bytes);

// The errno of the first `data` that could not be written, 0 if all of it was.
int data_error();

// Progress of work that can take over a second: shown on a terminal only, erased when done. Not thread-safe.
class Progress {
 public:
  explicit Progress(std::string_view title, unsigned long long total = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(unsigned long long amount, std::string_view item = {});

 private:
  std::string title_;
  unsigned long long total_;
  unsigned long long done_ = 0;
  long long last_shown_ms_ = 0;
  long long started_ms_;
  bool shown_ = false;
  bool terminal_;
};

}  // namespace uni::report
