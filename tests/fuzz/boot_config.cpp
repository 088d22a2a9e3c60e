// SPDX-License-Identifier: Apache-2.0
// The boot configuration's decoder takes any bytes, and what it took encodes to what it read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/image/boot_config.hpp"
#include "loader/analyze/ld_cache.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto config = uni::BootConfig::decode(bytes)) {
    const auto again = config->encode();
    if (!again || !bytes.starts_with(*again)) std::abort();
  }
  (void)uni::parse_ld_cache(bytes);
  return 0;
}
