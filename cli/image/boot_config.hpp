// SPDX-License-Identifier: Apache-2.0
// The boot configuration: `key=value` records, each closed by a NUL, an empty record at the end (docs/IMAGE.md). The
// keys come from kernel/base/boot_keys.def, which the guest includes too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct BootRecord {
  std::string key;
  std::string value;
  bool operator==(const BootRecord&) const = default;
};

// The largest encoding: partition 2 holds exactly this.
constexpr std::size_t kBootConfigLimit = std::size_t{1} << 20;

class BootConfig {
 public:
  // Appends a record; for the keys that repeat.
  void add(std::string_view key, std::string_view value) { records_.push_back({std::string(key), std::string(value)}); }
  // Makes `value` the only record of that key, in the place of the first one or at the end.
  void set(std::string_view key, std::string_view value);
  // Removes every record of that key.
  void remove(std::string_view key);
  // Sets an environment variable, `NAME=VALUE`: replaces the record of the same name or appends one.
  void set_env(std::string_view assignment);

  std::optional<std::string_view> get(std::string_view key) const;
  std::vector<std::string_view> all(std::string_view key) const;
  const std::vector<BootRecord>& records() const { return records_; }

  // The bytes for the guest, the closing empty record included. Fails (kBadInput) on an unknown key, on a repeated
  // `Once` key, on a NUL inside a value and on more than kBootConfigLimit bytes.
  Expected<std::string> encode() const;
  // Reads an encoding; what follows the empty record is ignored (the partition is zero-padded). Fails (kBadInput) on
  // everything that encode() would refuse and on bytes without an end.
  static Expected<BootConfig> decode(std::string_view bytes);

  bool operator==(const BootConfig&) const = default;

 private:
  std::vector<BootRecord> records_;
};

}  // namespace uni
