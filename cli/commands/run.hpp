// SPDX-License-Identifier: Apache-2.0
// `uni run`: boots an image and behaves like the program in it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// The command line, unchecked; run_run() turns it into values.
struct RunOptions {
  std::string subject;  // an image, a manifest or a program
  std::vector<std::string> arguments;
  std::vector<std::string> publish;
  std::vector<std::string> shares;
  std::vector<std::string> environment;
  std::string memory;       // empty: the image's, else 128M
  unsigned processors = 0;  // 0: the image's, else 1
  std::string machine = "microvm";
  std::string accel = "auto";
  std::string network = "auto";
  std::string kernel;  // a kernel file in place of the image's own
  std::string log;     // a file for what the guest lacked
  bool interactive = false;
  bool terminal = false;
  bool strace = false;
  bool gdb = false;
  bool verbose = false;
  bool entropy = false;
  bool host_loopback = false;
};

// Boots, relays, and gives the program's exit status. `image_for` turns a program or a manifest into an image. Blocks
// until the machine has ended. Failures have status 125.
Expected<int> run_run(const RunOptions& options,
                      const std::function<Expected<std::filesystem::path>(const std::string&)>& image_for);

}  // namespace uni
