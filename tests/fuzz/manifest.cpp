// SPDX-License-Identifier: Apache-2.0
// The manifest reader takes any bytes: it gives a manifest or one diagnostic, and what it took it writes back readable.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "manifests/manifest.hpp"
#include "manifests/recipes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto manifest = uni::parse_manifest("/fuzz/server.yaml", text);
  if (manifest) {
    const std::string again = uni::write_manifest(*manifest, "/fuzz", uni::Origins::Relative);
    const auto second = uni::parse_manifest("/fuzz/server.yaml", again);
    if (!second || uni::write_manifest(*second, "/fuzz", uni::Origins::Relative) != again) std::abort();
  } else if (manifest.error().what.empty() || manifest.error().what.find('\n') != std::string::npos) {
    std::abort();
  }
  (void)uni::parse_recipe("fuzz.yaml", text);
  return 0;
}
