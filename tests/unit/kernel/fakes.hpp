// SPDX-License-Identifier: Apache-2.0
// What tests may ask the fakes.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::test {

extern unsigned log_lines;  // lines that kernel code logged
extern bool show_log;
u64 live_pages();

}  // namespace uni::test
