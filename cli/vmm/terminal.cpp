// SPDX-License-Identifier: Apache-2.0
// Raw mode by termios(3).
#include "cli/vmm/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/vmm/fd.hpp"

namespace uni::vmm {

WindowSize window_size() {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

Expected<RawTerminal> RawTerminal::enter() {
  RawTerminal terminal;
  if (::tcgetattr(STDIN_FILENO, &terminal.saved_) != 0) {
    return fail({.what = "`-t` needs a terminal",
                 .where = {},
                 .why = "standard input is not one",
                 .hint = "leave `-t` out when input is piped",
                 .code = ExitCode::kRunFailed});
  }
  terminal.again();
  if (!terminal.active_) return system_failure("cannot set up the terminal");
  return terminal;
}

void RawTerminal::again() {
  termios raw = saved_;
  ::cfmakeraw(&raw);
  active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void RawTerminal::restore() {
  if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
  active_ = false;
}

}  // namespace uni::vmm
