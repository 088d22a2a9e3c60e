// SPDX-License-Identifier: Apache-2.0
// Expands the one table for the host.
#include "loader/analyze/syscall_table.hpp"

#include <algorithm>
#include <array>

namespace uni {
namespace {

constexpr auto kTable = [] {
  std::array rows{
#define SYS(number, name, arity, family, level, note) SyscallRow{number, #name, arity, #family, Level::level, note},
#include "syscall-shim/abi/syscalls.def"
#undef SYS
  };
  std::ranges::sort(rows, {}, &SyscallRow::number);
  return rows;
}();

}  // namespace

std::span<const SyscallRow> syscall_table() {
  return kTable;
}

const SyscallRow* find_syscall(unsigned number) {
  const auto row = std::ranges::lower_bound(kTable, number, {}, &SyscallRow::number);
  return row != kTable.end() && row->number == number ? &*row : nullptr;
}

const SyscallRow* find_syscall(std::string_view name) {
  const auto row = std::ranges::find(kTable, name, &SyscallRow::name);
  return row != kTable.end() ? &*row : nullptr;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Full:
      return "full";
    case Level::Partial:
      return "partial";
    case Level::Stub:
      return "stub";
    case Level::Missing:
      return "missing";
  }
  return "missing";
}

}  // namespace uni
