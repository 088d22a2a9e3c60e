// SPDX-License-Identifier: Apache-2.0
// Prints the system-call table. The docs page is this verb's markdown, so the two cannot differ.
#include "cli/commands/syscalls.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

std::string as_json() {
  auto list = nlohmann::ordered_json::array();
  for (const SyscallRow& row : syscall_table()) {
    list.push_back({{"number", row.number}, {"name", row.name}, {"level", level_name(row.level)}, {"note", row.note}});
  }
  return list.dump(2) + "\n";
}

std::string counts() {
  std::array<unsigned, 4> count{};
  for (const SyscallRow& row : syscall_table())
    ++count.at(static_cast<std::size_t>(row.level));
  return fmt::format("{} full, {} partial, {} stub, {} missing", count[0], count[1], count[2], count[3]);
}

std::string as_markdown() {
  std::string out = "| number | name | level | note |\n|---:|---|---|---|\n";
  for (const SyscallRow& row : syscall_table()) {
    out += fmt::format("| {} | `{}` | {} | {} |\n", row.number, row.name, level_name(row.level), row.note);
  }
  return out + "\n" + counts() + "\n";
}

std::string as_table() {
  std::string out = fmt::format("{:>6}  {:<24} {:<8} {}\n", "NUMBER", "NAME", "LEVEL", "NOTE");
  for (const SyscallRow& row : syscall_table()) {
    std::string line = fmt::format("{:>6}  {:<24} {:<8} {}", row.number, row.name, level_name(row.level), row.note);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out + counts() + "\n";
}

}  // namespace

Expected<int> run_syscalls(const SyscallsOptions& options) {
  if (options.format == "json") {
    report::data(as_json());
  } else if (options.format == "markdown") {
    report::data(as_markdown());
  } else {
    report::data(as_table());
  }
  return 0;
}

void add_syscalls(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<SyscallsOptions>();
  CLI::App* verb = app.add_subcommand("syscalls", "list the Linux system calls that the kernel has");
  verb->add_option("--format", options->format, "how to print the list")
      ->check(CLI::IsMember({"table", "json", "markdown"}))
      ->capture_default_str();
  verb->footer(
      "Examples:\n"
      "  uni syscalls\n"
      "  uni syscalls --format json | jq '.[] | select(.level == \"missing\") | .name'");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_syscalls(*options); }; });
}

}  // namespace uni
