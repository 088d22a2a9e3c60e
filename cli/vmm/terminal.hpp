// SPDX-License-Identifier: Apache-2.0
// The user's terminal for `uni run -t`.
#pragma once

#include <termios.h>

#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

struct WindowSize {
  unsigned rows = 24;
  unsigned columns = 80;
};

// The size of the terminal on standard input, or the default where it tells none.
WindowSize window_size();

// While it lives, the terminal on standard input is raw: every key reaches the guest. Restored by the destructor.
class RawTerminal {
 public:
  // Fails (125) where standard input is not a terminal.
  static Expected<RawTerminal> enter();
  RawTerminal(RawTerminal&& other) noexcept : active_(other.active_), saved_(other.saved_) { other.active_ = false; }
  RawTerminal& operator=(RawTerminal&&) = delete;
  ~RawTerminal() { restore(); }

  void restore();
  // Raw again after restore(), for a stop and a continuation.
  void again();

 private:
  RawTerminal() = default;
  bool active_ = false;
  termios saved_{};
};

}  // namespace uni::vmm
