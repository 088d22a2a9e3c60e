// SPDX-License-Identifier: Apache-2.0
// An image is described by the manifest in it, a manifest by itself, a program by what `uni pack` would do with it.
#include "cli/commands/inspect.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/commands/inspect_diff.hpp"
#include "cli/commands/inspect_sbom.hpp"
#include "cli/commands/pack.hpp"
#include "cli/image/reader.hpp"
#include "cli/image/root_reader.hpp"
#include "cli/image/sparse_io.hpp"
#include "cli/image/verdict.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/sha1.hpp"
#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

using nlohmann::ordered_json;

Expected<Manifest> manifest_of(const InspectOptions& options, const std::string& subject) {
  if (looks_like_image(subject)) {
    auto image = open_image(subject);
    if (!image) return std::unexpected(image.error());
    auto text = read_manifest_text(*image);
    if (!text) return std::unexpected(text.error());
    if (text->empty()) {
      return fail(
          {.what = "the image has no manifest", .where = subject, .why = {}, .hint = "make it again with `uni pack`"});
    }
    return parse_manifest(subject, *text);
  }
  PackOptions pack;
  pack.source = subject;
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

// The SHA-1 sums that SPDX demands: of an image's files as they are in it, else of the files that would go in.
Expected<Sha1Of> sha1_source(const std::string& subject) {
  if (looks_like_image(subject)) {
    auto image = open_image(subject);
    if (!image) return std::unexpected(image.error());
    auto root = read_root(*image, WithSha1::Yes, [](std::uint64_t) {});
    if (!root) return std::unexpected(root.error());
    return Sha1Of([entries = std::move(*root)](const std::string& path, const FileEntry&) {
      const auto found = entries.find(path);
      return found == entries.end() ? std::string() : found->second.sha1;
    });
  }
  return Sha1Of([](const std::string&, const FileEntry& f) {
    Sha1 sum;
    if (f.origin.empty()) {
      sum.add(f.content);
      return sum.finish();
    }
    auto file = InputFile::open(f.origin);
    if (!file) return std::string();
    std::vector<char> buffer(std::size_t{1} << 20);
    for (std::uint64_t at = 0;;) {
      const auto got = file->read_some(at, buffer);
      if (!got) return std::string();
      if (*got == 0) return sum.finish();
      sum.add({buffer.data(), *got});
      at += *got;
    }
  });
}

Expected<int> write_sbom(const InspectOptions& options, const Manifest& manifest) {
  const PackageDatabase packages{Sysroot(std::filesystem::absolute(options.sysroot))};
  std::string text;
  if (options.sbom[0] == "spdx") {
    auto sha1 = sha1_source(options.subjects[0]);
    if (!sha1) return std::unexpected(sha1.error());
    text = spdx_document(manifest, packages, *sha1);
  } else if (options.sbom[0] == "cyclonedx") {
    text = cyclonedx_document(manifest, packages);
  } else {
    return fail({.what = "unknown format of a bill of material",
                 .where = options.sbom[0],
                 .why = {},
                 .hint = "`--sbom spdx FILE` or `--sbom cyclonedx FILE`",
                 .code = ExitCode::kUsage});
  }
  if (options.sbom[1] == "-") {
    report::data(text);
    return 0;
  }
  auto file = OutputFile::create(options.sbom[1]);
  if (!file) return std::unexpected(file.error());
  if (auto ok = file->write(0, text); !ok) return std::unexpected(ok.error());
  if (auto ok = file->set_size(text.size()); !ok) return std::unexpected(ok.error());
  if (auto ok = file->commit(); !ok) return std::unexpected(ok.error());
  return 0;
}

}  // namespace

Expected<int> run_inspect(const InspectOptions& options) {
  if (options.subjects.size() != (options.diff ? 2U : 1U)) {
    return fail({.what = options.diff ? "`--diff` compares two" : "one image, manifest or program at a time",
                 .where = {},
                 .why = {},
                 .hint = "`uni inspect IMAGE`, `uni inspect --diff BEFORE AFTER`",
                 .code = ExitCode::kUsage});
  }
  const std::string& subject = options.subjects[0];
  auto manifest = manifest_of(options, subject);
  if (!manifest) return std::unexpected(manifest.error());
  if (options.diff) {
    auto after = manifest_of(options, options.subjects[1]);
    if (!after) return std::unexpected(after.error());
    report::data(diff_manifests(*manifest, *after, options.json ? DiffFormat::Json : DiffFormat::Text));
    return 0;
  }
  if (!options.sbom.empty()) return write_sbom(options, *manifest);
  const Verdict verdict = judge(*manifest);
  report::data(options.json ? as_json(*manifest, verdict, looks_like_image(subject)) : as_text(*manifest, verdict));
  return verdict.kind == Verdict::Kind::WillNotRun ? static_cast<int>(ExitCode::kUnsupported) : 0;
}

void add_inspect(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* verb = app.add_subcommand("inspect", "show what an image holds, or what one of a program would hold");
  verb->add_option("subject", options->subjects, "an image, a manifest or a program; two with `--diff`")
      ->required()
      ->type_name("IMAGE|MANIFEST|ELF");
  verb->add_flag("--json", options->json, "print JSON");
  verb->add_flag("--diff", options->diff, "what the second one gained and lost against the first");
  verb->add_option("--sbom", options->sbom, "write a bill of material, as JSON: spdx or cyclonedx; FILE - is stdout")
      ->type_name("FORMAT FILE")
      ->expected(2);
  verb->add_option("--sysroot", options->sysroot, "the root of the system that the program is from")->type_name("DIR");
  verb->footer(
      "Exit status: 0 the program runs, 3 the kernel lacks what it needs.\n"
      "Examples:\n"
      "  uni inspect server.img\n"
      "  uni inspect --diff old.img new.img\n"
      "  uni inspect server.img --sbom spdx server.spdx.json\n"
      "  uni inspect ./server --json | jq -r .verdict.status");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_inspect(*options); }; });
}

}  // namespace uni
