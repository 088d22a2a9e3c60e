// SPDX-License-Identifier: Apache-2.0
// Prints the system-call table and the tables of flags. docs/SYSCALLS.md is this verb's markdown, so the two cannot
// differ.
#include "cli/commands/syscalls.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/commands/commands.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/flag_table.hpp"
#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

std::string number_text(const FlagRow& row) {
  constexpr std::uint64_t kSmall = 10;
  return row.value < kSmall ? fmt::format("{}", row.value) : fmt::format("{:#x}", row.value);
}

nlohmann::ordered_json flags_json(std::string_view call) {
  auto list = nlohmann::ordered_json::array();
  for (const FlagRow& row : flags_of(call)) {
    list.push_back(
        {{"name", row.name}, {"value", row.value}, {"level", flag_level_name(row.level)}, {"note", row.note}});
  }
  return list;
}

// The calls to show: all, or the one that was named.
std::vector<SyscallRow> chosen(const SyscallsOptions& options) {
  if (options.call.empty()) return {syscall_table().begin(), syscall_table().end()};
  return {*find_syscall(options.call)};
}

std::string as_json(const std::vector<SyscallRow>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const SyscallRow& row : rows) {
    list.push_back({{"number", row.number},
                    {"name", row.name},
                    {"level", level_name(row.level)},
                    {"note", row.note},
                    {"flags", flags_json(row.name)}});
  }
  return list.dump(2) + "\n";
}

std::string counts() {
  std::array<unsigned, 4> count{};
  for (const SyscallRow& row : syscall_table())
    ++count.at(static_cast<std::size_t>(row.level));
  return fmt::format("{} full, {} partial, {} stub, {} missing", count[0], count[1], count[2], count[3]);
}

std::string flag_counts() {
  std::array<unsigned, 4> count{};
  for (const FlagRow& row : flag_table())
    ++count.at(static_cast<std::size_t>(row.level));
  return fmt::format("{} full, {} partial, {} ignored, {} refused", count[0], count[1], count[2], count[3]);
}

std::string call_list(const std::vector<SyscallRow>& rows) {
  std::string out = "| number | name | level | note |\n|---:|---|---|---|\n";
  for (const SyscallRow& row : rows)
    out += fmt::format("| {} | `{}` | {} | {} |\n", row.number, row.name, level_name(row.level), row.note);
  return out;
}

std::string flag_list(std::string_view call) {
  std::string out = "| flag | value | level | note |\n|---|---:|---|---|\n";
  for (const FlagRow& row : flags_of(call))
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.name, number_text(row), flag_level_name(row.level), row.note);
  return out;
}

// The calls that have rows of their own.
std::vector<std::string_view> flag_calls() {
  std::vector<std::string_view> calls;
  for (const FlagRow& row : flag_table()) {
    if (calls.empty() || calls.back() != row.call) calls.push_back(row.call);
  }
  return calls;
}

std::string as_markdown(const SyscallsOptions& options) {
  if (!options.call.empty()) return call_list(chosen(options)) + "\n" + flag_list(options.call);
  std::string out = call_list(chosen(options)) + "\n" + counts() + "\n";
  if (!options.flags) return out;
  out += "\n## Flags, commands and options\n\n" + flag_counts() + "\n";
  for (const std::string_view call : flag_calls())
    out += fmt::format("\n### {}\n\n{}", call, flag_list(call));
  return out;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string as_table(const std::vector<SyscallRow>& rows) {
  std::string out = fmt::format("{:>6}  {:<24} {:<8} {}\n", "NUMBER", "NAME", "LEVEL", "NOTE");
  for (const SyscallRow& row : rows)
    out += trimmed(fmt::format("{:>6}  {:<24} {:<8} {}", row.number, row.name, level_name(row.level), row.note));
  return out + counts() + "\n";
}

std::string as_flag_table(const SyscallsOptions& options) {
  constexpr const char* kLine = "{:<18} {:<34} {:>10}  {:<8} {}";
  std::string out = trimmed(fmt::format(kLine, "CALL", "FLAG", "VALUE", "LEVEL", "NOTE"));
  const auto add = [&](std::string_view call, const FlagRow& row) {
    out += trimmed(fmt::format(kLine, call, row.name, number_text(row), flag_level_name(row.level), row.note));
  };
  if (!options.call.empty()) {
    for (const FlagRow& row : flags_of(options.call))
      add(options.call, row);
    return out;
  }
  for (const FlagRow& row : flag_table())
    add(row.call, row);
  return out + flag_counts() + "\n";
}

}  // namespace

Expected<int> run_syscalls(const SyscallsOptions& options) {
  if (!options.call.empty()) {
    if (find_syscall(options.call) == nullptr)
      return fail({.what = "no system call of that name",
                   .where = options.call,
                   .why = "",
                   .hint = "`uni syscalls` lists all of them"});
    if (options.flags && flags_of(options.call).empty())
      return fail({.what = "no table of flags",
                   .where = options.call,
                   .why = "",
                   .hint = "`uni syscalls --flags` lists all of them"});
  }
  if (options.format == "json") {
    report::data(as_json(chosen(options)));
  } else if (options.format == "markdown") {
    report::data(as_markdown(options));
  } else {
    report::data(options.flags ? as_flag_table(options) : as_table(chosen(options)));
  }
  return 0;
}

void add_syscalls(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<SyscallsOptions>();
  CLI::App* verb = app.add_subcommand("syscalls", "list the Linux system calls that the kernel has");
  verb->add_option("--format", options->format, "how to print the list")
      ->check(CLI::IsMember({"table", "json", "markdown"}))
      ->capture_default_str();
  verb->add_option("CALL", options->call, "show this call alone");
  verb->add_flag("--flags", options->flags, "show flags, commands and options of calls, one by one");
  verb->footer(
      "Examples:\n"
      "  uni syscalls\n"
      "  uni syscalls --flags madvise\n"
      "  uni syscalls --format json | jq '.[] | select(.level == \"missing\") | .name'");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_syscalls(*options); }; });
}

}  // namespace uni
