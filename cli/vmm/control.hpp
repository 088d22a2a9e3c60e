// SPDX-License-Identifier: Apache-2.0
// The control channel's lines (docs/IMAGE.md, "Control lines"): reading what the guest says, writing what the host
// says. The guest is not trusted: lines are bounded, and what is not understood is ignored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/vmm/lacked.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

// Splits a line into words and undoes `%XX`.
std::vector<std::string> control_words(std::string_view line);

// What the guest has told so far.
class GuestReport {
 public:
  // Takes bytes as they come from the port, in pieces of any size.
  void feed(std::string_view bytes);

  bool ready() const { return ready_; }
  // The program's end as a shell would see it: the status, or 128 plus the signal. Empty while it has not ended.
  std::optional<int> status() const { return status_; }
  // The program could not be started: the reason as a diagnostic.
  const std::optional<Diagnostic>& refused() const { return refused_; }
  // One sentence for each thing that the program lacked, without repetition. Looks at files of this machine.
  std::vector<std::string> hints(const FoundElsewhere& elsewhere = {}) const;
  // What went on in the background when the program ended well, as a sentence; empty: nothing.
  const std::string& left_running() const { return left_running_; }
  // The lines that tell what was lacking and how the program ended, for `uni run --log` and `uni pack --learn`.
  const std::vector<std::string>& log_lines() const { return log_lines_; }

 private:
  void line(std::string_view text);
  void hint(std::string text);

  std::string partial_;
  bool overlong_ = false;
  bool ready_ = false;
  std::optional<int> status_;
  std::optional<Diagnostic> refused_;
  std::vector<std::string> hints_;
  std::string left_running_;
  Lacked lacked_;
  std::vector<std::string> log_lines_;
};

std::string signal_line(int number);
std::string winsize_line(unsigned rows, unsigned columns);

}  // namespace uni::vmm
