// SPDX-License-Identifier: Apache-2.0
// The machine's names, as uname(2) and /proc/sys/kernel tell them.
#pragma once

#include "kernel/base/span.hpp"

namespace uni::boot {

enum class NameOf : u8 { kHost, kDomain };

struct MachineName {
  static constexpr usize kMost = 64;
  char text[kMost + 1] = {};  // ends with NUL
};

// What was set, else the boot configuration's `hostname` and "(none)".
MachineName machine_name(NameOf which);
// Needs: at most kMost bytes.
void set_machine_name(NameOf which, Span<const char> text);

}  // namespace uni::boot
