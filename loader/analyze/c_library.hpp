// SPDX-License-Identifier: Apache-2.0
// Which files are the C library or its dynamic linker, by file name or soname.
#pragma once

#include <string_view>

namespace uni {

inline bool is_c_library(std::string_view name) {
  return name == "libc.so" || name.starts_with("libc.so.") || name.starts_with("ld-linux") ||
         name.starts_with("ld-musl") || name.starts_with("libc.musl");
}

}  // namespace uni
