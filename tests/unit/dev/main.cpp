// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

#include "kernel/base/assert.hpp"

namespace uni {
void panic(const char* message, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message);
  std::abort();
}
}  // namespace uni
