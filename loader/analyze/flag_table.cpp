// SPDX-License-Identifier: Apache-2.0
// Expands the tables of flags for the host.
#include "loader/analyze/flag_table.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

// sockopts.def says Kept where an option is remembered without the effect that its note names.
enum class Support { Full, Kept };

void add_option(std::vector<FlagRow>& rows, std::string_view name, std::uint64_t number, bool settable, Support support,
                std::string_view note) {
  const FlagLevel level = support == Support::Full ? FlagLevel::Full : FlagLevel::Ignored;
  const std::string text =
      support == Support::Full ? std::string(note) : "kept and shown again; left out: " + std::string(note);
  if (settable) rows.push_back({"setsockopt", name, number, level, text});
  rows.push_back({"getsockopt", name, number, level, text});
}

std::vector<FlagRow> make_table() {
  std::vector<FlagRow> rows{
#define FLAG(call, name, value, level, note) \
  FlagRow{#call, #name, static_cast<std::uint64_t>(value), FlagLevel::level, note},
#include "syscall-shim/abi/flags.def"
#undef FLAG
  };
#define SOCKOPT(level, name, number, kind, option, support, note) \
  add_option(rows, #name, number, std::string_view(#kind) != "Read", Support::support, note);
#include "syscall-shim/abi/sockopts.def"
#undef SOCKOPT
  const auto number_of = [](const FlagRow& row) {
    const SyscallRow* call = find_syscall(row.call);
    return call != nullptr ? call->number : ~0U;
  };
  std::ranges::stable_sort(rows, {}, number_of);
  return rows;
}

// Calls that take the flags of another one.
constexpr auto kShared = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"open", "openat"},
    {"creat", "openat"},
    {"sendto", "sendmsg"},
    {"sendmmsg", "sendmsg"},
    {"recvfrom", "recvmsg"},
    {"recvmmsg", "recvmsg"},
    {"socketpair", "socket"},
    {"futex_waitv", "futex_wait"},
    {"futex_wake", "futex_wait"},
    {"futex_requeue", "futex_wait"},
    {"clock_getres", "clock_gettime"},
});

}  // namespace

std::span<const FlagRow> flag_table() {
  static const std::vector<FlagRow> table = make_table();
  return table;
}

std::vector<FlagRow> flags_of(std::string_view call) {
  const auto* shared = std::ranges::find(kShared, call, [](const auto& pair) { return pair.first; });
  const std::string_view owner = shared != kShared.end() ? shared->second : call;
  std::vector<FlagRow> found;
  std::ranges::copy_if(flag_table(), std::back_inserter(found), [&](const FlagRow& row) { return row.call == owner; });
  return found;
}

std::string_view flag_level_name(FlagLevel level) {
  switch (level) {
    case FlagLevel::Full:
      return "full";
    case FlagLevel::Partial:
      return "partial";
    case FlagLevel::Ignored:
      return "ignored";
    case FlagLevel::Refused:
      return "refused";
  }
  return "refused";
}

}  // namespace uni
