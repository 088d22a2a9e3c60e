// SPDX-License-Identifier: Apache-2.0
// The signals that `uni run` takes for the program in the guest.
#pragma once

#include <signal.h>

#include <functional>

#include "cli/vmm/loop.hpp"

namespace uni::vmm {

// While it lives, the forwarded signals and SIGCHLD are blocked and arrive as events in the loop. Signals that were
// ignored when `uni` started (nohup, a shell's background job) stay ignored. SIGPIPE and SIGTTIN are ignored: writes
// and reads answer EPIPE and EIO instead.
class Signals {
 public:
  Signals(Loop& loop, std::function<void(int)> arrived);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  bool valid() const { return static_cast<bool>(fd_); }

 private:
  void read();

  Loop& loop_;
  std::function<void(int)> arrived_;
  sigset_t before_{};
  Fd fd_;
  Loop::WatchId watch_ = 0;
};

}  // namespace uni::vmm
