// SPDX-License-Identifier: Apache-2.0
// What the kernel writes on COM1 (docs/IMAGE.md, "Devices"): which of its lines the user sees.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace uni::vmm {

enum class LogLevel { kQuiet, kVerbose };
enum class Trace { kOff, kStrace };

class KernelLog {
 public:
  // `show` gets whole lines, the line feed included. Panics are always shown, `strace: ` lines (without that prefix)
  // with Trace::kStrace, all else with LogLevel::kVerbose.
  KernelLog(LogLevel level, Trace trace, std::function<void(std::string_view)> show);

  void feed(std::string_view bytes);
  // The machine is gone: what is left is a last line.
  void end();
  // A panic began; it may not have been written to its end.
  bool panicked() const { return panicked_; }
  // The panic's last line was seen: the machine has no more to say.
  bool panic_ended() const { return panicked_ && !in_panic_; }

 private:
  void line(std::string_view text);

  LogLevel level_;
  Trace trace_;
  std::function<void(std::string_view)> show_;
  std::string partial_;
  bool panicked_ = false;
  bool in_panic_ = false;
};

}  // namespace uni::vmm
