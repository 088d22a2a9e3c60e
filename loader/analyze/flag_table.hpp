// SPDX-License-Identifier: Apache-2.0
// The host's view of the tables of flags, syscall-shim/abi/flags.def and sockopts.def.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace uni {

enum class FlagLevel { Full, Partial, Ignored, Refused };

struct FlagRow {
  std::string_view call;
  std::string_view name;
  std::uint64_t value;
  FlagLevel level;
  std::string note;
};

// Every row: by call (in the order of the calls' numbers), then in the order of the table.
std::span<const FlagRow> flag_table();
// The rows of one call. `open`, `sendto` and their kin show those of the call whose rows they share. Empty where there
// are none.
std::vector<FlagRow> flags_of(std::string_view call);
// "full", "partial", "ignored" or "refused".
std::string_view flag_level_name(FlagLevel level);

}  // namespace uni
