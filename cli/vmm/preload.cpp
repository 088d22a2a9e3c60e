// SPDX-License-Identifier: Apache-2.0
// The library's bytes are linked in by preload/embed.S; ld.so(8) opens it through /proc/self/fd.
#include "cli/vmm/preload.hpp"

#include <cstdlib>
#include <string_view>

extern "C" {
extern const char uni_preload_begin[];
extern const char uni_preload_end[];
}

namespace uni::vmm {

Expected<Fd> preload_library() {
  return memory_file("network", std::string_view(uni_preload_begin, uni_preload_end));
}

std::vector<std::string> preload_environment(int library, HostLoopback loopback) {
  std::string text = "LD_PRELOAD=/proc/self/fd/" + std::to_string(library);
  if (const char* ours = std::getenv("LD_PRELOAD"); ours != nullptr && *ours != '\0') text += std::string(":") + ours;
  return {text, std::string("UNI_HOST_LOOPBACK=") + (loopback == HostLoopback::kOpen ? "1" : "0")};
}

}  // namespace uni::vmm
