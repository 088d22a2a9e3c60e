// SPDX-License-Identifier: Apache-2.0
// The values of `uni run`'s flags. Each function fails with one diagnostic (125) that names the value.
#pragma once

#include <cstdint>
#include <string_view>

#include "cli/vmm/spec.hpp"
#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

// `[IP:]HOST:GUEST[/udp|/tcp]`; an IPv6 address stands in brackets.
Expected<Publish> parse_publish(std::string_view text);

// `SRC:DST[:ro|:rw]`: SRC must be a directory, and becomes absolute; DST must be absolute. Reads the file system.
Expected<Share> parse_share(std::string_view text);

// `N[b|k|m|g]`, as Docker has it: a number alone counts bytes. At least 4 MiB, a multiple of 4 KiB after rounding up.
Expected<std::uint64_t> parse_memory(std::string_view text);

}  // namespace uni::vmm
