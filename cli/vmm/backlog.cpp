// SPDX-License-Identifier: Apache-2.0
// The library's bytes are linked in by preload/embed.S; ld.so(8) opens it through /proc/self/fd.
#include "cli/vmm/backlog.hpp"

#include <cstdlib>
#include <string_view>

extern "C" {
extern const char uni_preload_begin[];
extern const char uni_preload_end[];
}

namespace uni::vmm {

Expected<Fd> backlog_library() {
  return memory_file("listen", std::string_view(uni_preload_begin, uni_preload_end));
}

std::string preload_variable(int library) {
  std::string text = "LD_PRELOAD=/proc/self/fd/" + std::to_string(library);
  if (const char* ours = std::getenv("LD_PRELOAD"); ours != nullptr && *ours != '\0') text += std::string(":") + ours;
  return text;
}

}  // namespace uni::vmm
