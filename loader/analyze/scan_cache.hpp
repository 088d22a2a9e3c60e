// SPDX-License-Identifier: Apache-2.0
// Remembers what find_syscalls() found, by the content of the closure's objects, in $XDG_CACHE_HOME/uni/analysis.
#pragma once

#include <filesystem>
#include <optional>

#include "loader/analyze/syscalls_used.hpp"

namespace uni {

class ScanCache {
 public:
  explicit ScanCache(const Closure& closure);
  // Nothing where it is not known, or what is there is not whole.
  std::optional<SyscallReport> load() const;
  // A cache that cannot be written is no error.
  void store(const SyscallReport& report) const;

 private:
  std::filesystem::path file_;  // empty: no cache
};

}  // namespace uni
