// SPDX-License-Identifier: Apache-2.0
// The host's view of the one table, syscall-shim/abi/syscalls.def.
#pragma once

#include <span>
#include <string_view>

namespace uni {

enum class Level { Full, Partial, Stub, Missing };

struct SyscallRow {
  unsigned number;
  std::string_view name;
  unsigned arity;
  std::string_view family;
  Level level;
  std::string_view note;
};

// Every row, in ascending order of the number.
std::span<const SyscallRow> syscall_table();
// nullptr where the table has no such call.
const SyscallRow* find_syscall(unsigned number);
const SyscallRow* find_syscall(std::string_view name);
// "full", "partial", "stub" or "missing".
std::string_view level_name(Level level);

}  // namespace uni
