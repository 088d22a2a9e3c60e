// SPDX-License-Identifier: Apache-2.0
// The kernel's log: lines on COM1. Info lines appear only with `log=verbose`; warnings and errors are few.
#pragma once

#include "kernel/base/format.hpp"

namespace uni::log {

enum class Level : u8 { kInfo, kWarning, kError };

void set_verbose(bool verbose);
bool verbose();
void write_line(Level level, StringView text);
// A whole line as it is, without time and level (strace output).
void write_raw(StringView text);

template <typename... Args>
void line(Level level, StringView pattern, const Args&... args) {
  if (level == Level::kInfo && !verbose()) return;
  char buffer[512];
  BufferWriter out(buffer);
  format(out, pattern, args...);
  write_line(level, out.view());
}
template <typename... Args>
void info(StringView pattern, const Args&... args) {
  line(Level::kInfo, pattern, args...);
}
template <typename... Args>
void warn(StringView pattern, const Args&... args) {
  line(Level::kWarning, pattern, args...);
}
template <typename... Args>
void error(StringView pattern, const Args&... args) {
  line(Level::kError, pattern, args...);
}

}  // namespace uni::log
