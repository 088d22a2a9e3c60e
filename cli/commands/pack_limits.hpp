// SPDX-License-Identifier: Apache-2.0
// `uni pack --limit NAME=N`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// The manifest's limits (kLimitNames) from `NAME=N`; memory takes the suffixes K, M and G. Fails (kUsage) with the form
// and the names.
Expected<std::map<std::string, std::uint64_t>> limits_of(const std::vector<std::string>& given);

}  // namespace uni
