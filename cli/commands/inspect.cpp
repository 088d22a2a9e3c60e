// SPDX-License-Identifier: Apache-2.0
// An image is described by the manifest in it, a manifest by itself, a program by what `uni pack` would do with it.
#include "cli/commands/inspect.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/commands/pack.hpp"
#include "cli/image/reader.hpp"
#include "cli/image/verdict.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

using nlohmann::ordered_json;

Expected<Manifest> manifest_of(const InspectOptions& options) {
  if (looks_like_image(options.subject)) {
    auto image = open_image(options.subject);
    if (!image) return std::unexpected(image.error());
    auto text = read_manifest_text(*image);
    if (!text) return std::unexpected(text.error());
    if (text->empty()) {
      return fail({.what = "the image has no manifest",
                   .where = options.subject,
                   .why = {},
                   .hint = "make it again with `uni pack`"});
    }
    return parse_manifest(options.subject, *text);
  }
  PackOptions pack;
  pack.source = options.subject;
  pack.sysroot = options.sysroot;
  auto plan = plan_pack(pack);
  if (!plan) return std::unexpected(plan.error());
  return std::move(plan->content);
}

std::string syscall_name(const SyscallUse& use) {
  const SyscallRow* row = find_syscall(use.number);
  return row != nullptr ? std::string(row->name) : fmt::format("syscall_{}", use.number);
}

std::string_view syscall_level(const SyscallUse& use) {
  const SyscallRow* row = find_syscall(use.number);
  return level_name(row != nullptr ? row->level : Level::Missing);
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
  const std::string origin = f.origin.string() == path || !image ? f.origin.string() : f.origin.filename().string();
  j["origin"] = origin.empty() ? ordered_json() : ordered_json(origin);
  j["size"] = f.size;
  j["sha256"] = f.sha256.empty() ? ordered_json() : ordered_json(f.sha256);
  j["mode"] = fmt::format("{:04o}", f.mode);
  j["reason"] = f.reason;
  j["package"] = f.package.empty() ? ordered_json() : ordered_json(f.package);
  return j;
}

// Paths and symbol names are bytes; what is not UTF-8 is replaced, JSON cannot hold it.
std::string as_json(const Manifest& m, const Verdict& verdict, bool image) {
  ordered_json j;
  j["name"] = m.name;
  j["program"] = m.program;
  j["interpreter"] = m.interpreter.empty() ? ordered_json() : ordered_json(m.interpreter);
  j["arguments"] = m.arguments;
  j["environment"] = m.environment;
  j["directory"] = m.directory;
  j["files"] = ordered_json::array();
  for (const auto& [path, f] : m.files)
    j["files"].push_back(file_json(path, f, image));
  j["syscalls"] = ordered_json::array();
  for (const SyscallUse& use : m.syscalls.uses) {
    j["syscalls"].push_back(
        {{"number", use.number}, {"name", syscall_name(use)}, {"level", syscall_level(use)}, {"origins", use.origins}});
  }
  j["undecided"] = m.syscalls.undecided;
  j["permissions"] = {{"processes", m.processes}, {"syscalls", m.call_mode}, {"evidence", m.syscalls.processes}};
  j["verdict"] = {{"status", verdict_name(verdict.kind)}, {"reasons", verdict.reasons}, {"notes", verdict.notes}};
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_text(const Manifest& m, const Verdict& verdict) {
  std::string out = fmt::format("program      {}\ninterpreter  {}\n", m.program,
                                m.interpreter.empty() ? "none (static)" : m.interpreter);
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  std::string list;
  for (const auto& [path, f] : m.files) {
    if (f.kind == FileEntry::Kind::Directory) continue;
    const std::string what = f.kind == FileEntry::Kind::Symlink ? "-> " + f.target : std::to_string(f.size);
    list +=
        fmt::format("  {:<56} {:>10}  {}{}\n", path, what, f.reason, f.package.empty() ? "" : " [" + f.package + "]");
    bytes += f.kind == FileEntry::Kind::File ? f.size : 0;
    ++count;
  }
  out += fmt::format("files        {} ({} bytes)\n{}", count, bytes, list);
  std::map<std::string_view, std::string> by_level;
  for (const SyscallUse& use : m.syscalls.uses)
    by_level[syscall_level(use)] += " " + syscall_name(use);
  out += fmt::format("system calls {}\n", m.syscalls.uses.size());
  for (const auto& [level, names] : by_level)
    out += fmt::format("  {:<8}{}\n", level, names);
  out += fmt::format("permissions  processes: {}, system calls: {}\n", m.processes, m.call_mode);
  out += fmt::format("verdict      {}\n", verdict_name(verdict.kind));
  for (const std::string& r : verdict.reasons)
    out += "  because " + r + "\n";
  for (const std::string& n : verdict.notes)
    out += "  note: " + n + "\n";
  return out;
}

}  // namespace

Expected<int> run_inspect(const InspectOptions& options) {
  auto manifest = manifest_of(options);
  if (!manifest) return std::unexpected(manifest.error());
  const Verdict verdict = judge(*manifest);
  report::data(options.json ? as_json(*manifest, verdict, looks_like_image(options.subject))
                            : as_text(*manifest, verdict));
  return verdict.kind == Verdict::Kind::WillNotRun ? static_cast<int>(ExitCode::kUnsupported) : 0;
}

void add_inspect(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* verb = app.add_subcommand("inspect", "show what an image holds, or what one of a program would hold");
  verb->add_option("subject", options->subject, "an image, a manifest or a program")
      ->required()
      ->type_name("IMAGE|MANIFEST|ELF");
  verb->add_flag("--json", options->json, "print JSON");
  verb->add_option("--sysroot", options->sysroot, "the root of the system that the program is from")->type_name("DIR");
  verb->footer(
      "Exit status: 0 the program runs, 3 the kernel lacks what it needs.\n"
      "Examples:\n"
      "  uni inspect server.img\n"
      "  uni inspect ./server --json | jq -r .verdict.status");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_inspect(*options); }; });
}

}  // namespace uni
