// SPDX-License-Identifier: Apache-2.0
// Every part of a manifest is brought to a map from a key to what is said of it; then one comparison serves all.
#include "cli/commands/inspect_diff.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

using nlohmann::ordered_json;
using Part = std::map<std::string, std::string>;

struct Changes {
  std::string name;
  std::vector<std::string> gained;
  std::vector<std::string> lost;
  std::vector<std::string> changed;  // "KEY: BEFORE -> AFTER"
  bool empty() const { return gained.empty() && lost.empty() && changed.empty(); }
};

std::string described(const FileEntry& f) {
  switch (f.kind) {
    case FileEntry::Kind::Directory:
      return fmt::format("directory {:04o}", f.mode);
    case FileEntry::Kind::Symlink:
      return "-> " + f.target;
    case FileEntry::Kind::File:
      break;
  }
  return fmt::format("{} bytes {:04o} {}", f.size, f.mode, f.sha256.substr(0, 12));
}

Part files_of(const Manifest& m) {
  Part out;
  for (const auto& [path, f] : m.files)
    out.emplace(path, described(f));
  return out;
}

Part packages_of(const Manifest& m) {
  Part out;
  for (const auto& [path, f] : m.files) {
    const std::size_t blank = f.package.find(' ');
    if (!f.package.empty())
      out.emplace(f.package.substr(0, blank), blank == std::string::npos ? "" : f.package.substr(blank + 1));
  }
  return out;
}

Part syscalls_of(const Manifest& m) {
  Part out;
  for (const SyscallUse& use : m.syscalls.uses) {
    const SyscallRow* row = find_syscall(use.number);
    out.emplace(row != nullptr ? std::string(row->name) : fmt::format("syscall_{}", use.number),
                std::string(level_name(row != nullptr ? row->level : Level::Missing)));
  }
  return out;
}

// What the program may do that another could not.
Part permissions_of(const Manifest& m) {
  Part out;
  out.emplace("processes", m.processes);
  out.emplace("syscalls", m.call_mode);
  out.emplace("user", fmt::format("{}:{}", m.uid, m.gid));
  for (const std::string& evidence : m.syscalls.processes)
    out.emplace("evidence " + evidence, "");
  for (const std::string& port : m.publish)
    out.emplace("publish " + port, "");
  for (const std::string& volume : m.volumes)
    out.emplace("volume " + volume, "");
  return out;
}

Part settings_of(const Manifest& m) {
  Part out{{"program", m.program},     {"interpreter", m.interpreter},
           {"directory", m.directory}, {"arguments", fmt::format("{}", fmt::join(m.arguments, " "))},
           {"memory", m.memory},       {"cpus", std::to_string(m.cpus)}};
  for (const std::string& e : m.environment) {
    const std::size_t equals = e.find('=');
    out.emplace("environment " + e.substr(0, equals),
                equals == std::string::npos ? "from `uni run`" : e.substr(equals + 1));
  }
  for (const auto& [name, value] : m.limits)
    out.emplace("limit " + name, name == "cpu" ? fmt::format("{} processors", static_cast<double>(value) / 1000)
                                               : std::to_string(value));
  return out;
}

Changes compare(std::string name, const Part& before, const Part& after) {
  Changes out{.name = std::move(name), .gained = {}, .lost = {}, .changed = {}};
  const auto line = [](const std::string& key, const std::string& value) {
    return value.empty() ? key : key + " " + value;
  };
  for (const auto& [key, value] : before) {
    const auto now = after.find(key);
    if (now == after.end())
      out.lost.push_back(line(key, value));
    else if (now->second != value)
      out.changed.push_back(fmt::format("{}: {} -> {}", key, value, now->second));
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) out.gained.push_back(line(key, value));
  }
  return out;
}

std::uint64_t bytes_of(const Manifest& m) {
  std::uint64_t bytes = 0;
  for (const auto& [path, f] : m.files)
    bytes += f.kind == FileEntry::Kind::File ? f.size : 0;
  return bytes;
}

}  // namespace

std::string diff_manifests(const Manifest& before, const Manifest& after, DiffFormat format) {
  const std::vector<Changes> parts = {compare("files", files_of(before), files_of(after)),
                                      compare("packages", packages_of(before), packages_of(after)),
                                      compare("syscalls", syscalls_of(before), syscalls_of(after)),
                                      compare("permissions", permissions_of(before), permissions_of(after)),
                                      compare("settings", settings_of(before), settings_of(after))};
  const std::uint64_t old_bytes = bytes_of(before);
  const std::uint64_t new_bytes = bytes_of(after);
  if (format == DiffFormat::Json) {
    ordered_json j;
    for (const Changes& c : parts)
      j[c.name] = {{"gained", c.gained}, {"lost", c.lost}, {"changed", c.changed}};
    j["bytes"] = {{"before", old_bytes}, {"after", new_bytes}};
    return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
  std::string out;
  for (const Changes& c : parts) {
    if (c.empty()) continue;
    out += c.name + "\n";
    for (const std::string& text : c.lost)
      out += "  - " + text + "\n";
    for (const std::string& text : c.gained)
      out += "  + " + text + "\n";
    for (const std::string& text : c.changed)
      out += "  ~ " + text + "\n";
  }
  if (old_bytes != new_bytes) out += fmt::format("bytes\n  ~ {} -> {}\n", old_bytes, new_bytes);
  return out;
}

}  // namespace uni
