// SPDX-License-Identifier: Apache-2.0
// A bitmap in text; numbers above the table's are left out, the kernel has nothing there.
#include "cli/image/call_list.hpp"

#include <algorithm>

#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

constexpr unsigned kMostNumbers = 480;  // as the guest's dispatch array
constexpr std::string_view kAlways[] = {"rt_sigreturn",    "exit",          "exit_group",
                                        "restart_syscall", "clock_gettime", "gettimeofday",
                                        "clock_getres",    "time",          "getcpu"};

}  // namespace

std::string call_list(const SyscallReport& report) {
  std::string digits(kMostNumbers / 4, '0');
  const auto allow = [&](unsigned number) {
    if (number >= kMostNumbers) return;
    char& digit = digits[number / 4];
    const int value = (digit <= '9' ? digit - '0' : digit - 'a' + 10) | 1 << number % 4;
    digit = "0123456789abcdef"[value];
  };
  for (const SyscallUse& use : report.uses)
    allow(use.number);
  for (const std::string_view name : kAlways) {
    if (const SyscallRow* row = find_syscall(name)) allow(row->number);
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

bool is_call_mode(const std::string& mode) {
  return mode == "audit" || mode == "enforce" || mode == "all";
}

}  // namespace uni
