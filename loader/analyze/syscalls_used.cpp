// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/syscalls_used.hpp"

namespace uni {

Expected<SyscallReport> find_syscalls(const Closure&) {
  return SyscallReport{};
}

}  // namespace uni
