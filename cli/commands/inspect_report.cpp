// SPDX-License-Identifier: Apache-2.0
// The table for people and the JSON for machines; both say the same.
#include "cli/commands/inspect_report.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands/inspect_tree.hpp"
#include "cli/commands/pack.hpp"
#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShownOrigins = 24;  // calls whose origin the table tells

std::string syscall_name(const SyscallUse& use) {
  const SyscallRow* row = find_syscall(use.number);
  return row != nullptr ? std::string(row->name) : fmt::format("syscall_{}", use.number);
}

Level syscall_level(const SyscallUse& use) {
  const SyscallRow* row = find_syscall(use.number);
  return row != nullptr ? row->level : Level::Missing;
}

ordered_json or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json file_json(const std::string& path, const FileEntry& f, bool image) {
  ordered_json j = {{"path", path}};
  switch (f.kind) {
    case FileEntry::Kind::Directory:
      j["type"] = "directory";
      break;
    case FileEntry::Kind::Symlink:
      j["type"] = "symlink";
      j["target"] = f.target;
      break;
    case FileEntry::Kind::File:
      j["type"] = "file";
      break;
  }
  // Inside an image the origin is a name, not a path of this machine.
  j["origin"] = or_null(f.origin.string() == path || !image ? f.origin.string() : f.origin.filename().string());
  j["size"] = f.size;
  j["sha256"] = or_null(f.sha256);
  j["mode"] = fmt::format("{:04o}", f.mode);
  j["reason"] = f.reason;
  j["package"] = or_null(f.package);
  return j;
}

ordered_json tree_json(const std::vector<TreeNode>& nodes) {
  auto list = ordered_json::array();
  for (const TreeNode& n : nodes) {
    ordered_json j = {{"name", n.name},
                      {"reason", or_null(n.reason)},
                      {"package", or_null(n.package)},
                      {"size", n.size},
                      {"total", n.total},
                      {"files", n.files}};
    j["children"] = tree_json(n.children);
    list.push_back(std::move(j));
  }
  return list;
}

std::string call_lines(const Manifest& m) {
  std::map<Level, std::vector<const SyscallUse*>> by_level;
  for (const SyscallUse& use : m.syscalls.uses)
    by_level[syscall_level(use)].push_back(&use);
  std::string out;
  for (const auto& [level, uses] : by_level) {
    std::string names;
    for (const SyscallUse* use : uses)
      names += " " + syscall_name(*use);
    out += fmt::format("  {:<8} {:>3} {}\n", level_name(level), uses.size(), names);
    // What is there in full needs no explanation.
    if (level == Level::Full) continue;
    for (std::size_t i = 0; i < uses.size() && i < kShownOrigins; ++i) {
      if (!uses[i]->origins.empty())
        out += fmt::format("    {:<24} {}\n", syscall_name(*uses[i]), uses[i]->origins.front());
    }
    if (uses.size() > kShownOrigins) out += fmt::format("    and {} more\n", uses.size() - kShownOrigins);
  }
  return out;
}

std::string port_lines(const Manifest& m) {
  if (m.syscalls.ports.empty() && m.publish.empty()) return "ports        none found\n";
  std::string out = "ports\n";
  for (const PortUse& p : m.syscalls.ports) {
    out += p.number != 0 ? fmt::format("  {:<8} {}\n", p.number, p.evidence)
                         : fmt::format("  {:<8} {}\n", "?", "not decided: " + p.evidence);
  }
  for (const std::string& p : m.publish)
    out += fmt::format("  {:<8} published by the manifest\n", p);
  return out;
}

}  // namespace

Inspection inspection_of(const Manifest& manifest, std::string_view type, const std::filesystem::path& image) {
  Inspection inspection{
      .manifest = manifest, .verdict = judge(manifest), .estimate = estimate_of(manifest, kernel_path()), .type = type};
  struct stat st {};
  if (!image.empty() && ::stat(image.c_str(), &st) == 0)
    inspection.disk = static_cast<std::uint64_t>(st.st_blocks) * 512;
  return inspection;
}

std::string linkage_of(const Inspection& i) {
  const Manifest& m = i.manifest;
  if (m.interpreter.empty()) return "static";
  const std::string name = m.interpreter.substr(m.interpreter.rfind('/') + 1);
  if (name.starts_with("ld-musl")) return "dynamic (musl)";
  if (name.starts_with("ld-linux")) return "dynamic (glibc)";
  return name.starts_with("ld-") || name.starts_with("ld.") ? "dynamic" : "script";
}

std::string inspection_json(const Inspection& i) {
  const Manifest& m = i.manifest;
  ordered_json j;
  j["name"] = m.name;
  j["type"] = i.type;
  j["linkage"] = linkage_of(i);
  j["program"] = m.program;
  j["interpreter"] = or_null(m.interpreter);
  j["arguments"] = m.arguments;
  j["environment"] = m.environment;
  j["directory"] = m.directory;
  j["files"] = ordered_json::array();
  for (const auto& [path, f] : m.files)
    j["files"].push_back(file_json(path, f, i.type == "image"));
  j["tree"] = tree_json(closure_tree(m));
  j["syscalls"] = ordered_json::array();
  for (const SyscallUse& use : m.syscalls.uses) {
    j["syscalls"].push_back({{"number", use.number},
                             {"name", syscall_name(use)},
                             {"level", level_name(syscall_level(use))},
                             {"origins", use.origins}});
  }
  j["undecided"] = m.syscalls.undecided;
  j["permissions"] = {{"processes", m.processes}, {"syscalls", m.call_mode}, {"evidence", m.syscalls.processes}};
  j["ports"] = ordered_json::array();
  for (const PortUse& p : m.syscalls.ports)
    j["ports"].push_back(
        {{"number", p.number == 0 ? ordered_json() : ordered_json(p.number)}, {"evidence", p.evidence}});
  j["publish"] = m.publish;
  j["estimate"] = {{"disk", i.estimate.disk}, {"memory", i.estimate.memory}};
  j["disk"] = i.disk ? ordered_json(*i.disk) : ordered_json();
  j["verdict"] = {{"status", verdict_name(i.verdict.kind)}, {"reasons", i.verdict.reasons}, {"notes", i.verdict.notes}};
  // Paths and symbol names are bytes; what is not UTF-8 is replaced, JSON cannot hold it.
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string inspection_text(const Inspection& i) {
  const Manifest& m = i.manifest;
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  for (const auto& [path, f] : m.files) {
    if (f.kind != FileEntry::Kind::File) continue;
    bytes += f.size;
    ++count;
  }
  std::string out = fmt::format("program      {}\ntype         {}, {}\ninterpreter  {}\n", m.program, i.type,
                                linkage_of(i), m.interpreter.empty() ? "none (static)" : m.interpreter);
  out += fmt::format("files        {} ({})\n{}", count, short_size(bytes), tree_text(closure_tree(m)));
  out += fmt::format("system calls {}\n{}", m.syscalls.uses.size(), call_lines(m));
  out += fmt::format("permissions  processes: {}, system calls: {}\n", m.processes, m.call_mode);
  for (const std::string& e : m.syscalls.processes)
    out += "  " + e + "\n";
  out += port_lines(m);
  out += i.disk ? fmt::format("image        {} on the disk\n", short_size(*i.disk))
                : fmt::format("image        about {} on the disk\n", short_size(i.estimate.disk));
  out +=
      fmt::format("memory       at least {} (`-m`), and what the program allocates\n", short_size(i.estimate.memory));
  const std::string name(verdict_name(i.verdict.kind));
  for (const std::string& n : i.verdict.notes)
    out += "note         " + n + "\n";
  for (const std::string& r : i.verdict.reasons)
    out += "reason       " + r + "\n";
  out += "verdict      " + name;
  if (!i.verdict.reasons.empty()) out += " because " + i.verdict.reasons.front();
  return out + "\n";
}

}  // namespace uni
