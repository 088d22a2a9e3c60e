// SPDX-License-Identifier: Apache-2.0
// A child process (QEMU, passt) that never outlives `uni`: killed by the kernel should `uni` die in any way, killed and
// reaped by the destructor otherwise.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/vmm/fd.hpp"

namespace uni::vmm {

class Process {
 public:
  struct Options {
    std::vector<int> keep;                 // descriptors that the program gets, under the same numbers
    int standard_error = -1;               // its descriptor 2; 0 and 1 are /dev/null
    std::vector<std::string> environment;  // NAME=VALUE, over our own
  };

  // Starts `args[0]` (a path) with an argument vector, in a process group of its own, so that the terminal's ^C does
  // not reach it, with no signal blocked. Blocks until execve succeeded or failed; a failure is status 125.
  static Expected<Process> start(const std::vector<std::string>& args, const Options& options);

  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), wait_status_(other.wait_status_) {}
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  // Whether it still runs; reaps it when it does not. Does not block.
  bool running();
  // What waitpid(2) told, once it ended.
  std::optional<int> wait_status() const { return wait_status_; }
  void signal(int number) const;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> wait_status_;
};

// The first executable file of that name in $PATH; a name with a slash is taken as it is. Empty if there is none.
std::string find_program(const std::string& name);

}  // namespace uni::vmm
