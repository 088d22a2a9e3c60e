// SPDX-License-Identifier: Apache-2.0
// options -> closure -> system calls -> manifest -> image. The program is never executed.
#include "cli/commands/pack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <system_error>

#include "cli/commands/commands.hpp"
#include "cli/commands/inspect_report.hpp"
#include "cli/commands/pack_limits.hpp"
#include "cli/image/call_list.hpp"
#include "cli/image/manifest_config.hpp"
#include "cli/image/signature.hpp"
#include "cli/image/writer.hpp"
#include "cli/report/report.hpp"
#include "cli/trace/learned.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/sysroot.hpp"
#include "manifests/recipes.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

// Without SOURCE_DATE_EPOCH everything in an image is from 1980-01-01, the first day that every archive format can
// hold.
constexpr std::int64_t kDefaultTime = 315532800;

std::unexpected<Diagnostic> usage(std::string what, std::string where, std::string hint) {
  return fail({.what = std::move(what),
               .where = std::move(where),
               .why = {},
               .hint = std::move(hint),
               .code = ExitCode::kUsage});
}

// reproducible-builds.org/specs/source-date-epoch
Expected<std::int64_t> image_time() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return kDefaultTime;
  std::int64_t value = 0;
  const std::string_view view = text;
  const auto [end, error] = std::from_chars(view.begin(), view.end(), value);
  if (error != std::errc{} || end != view.end() || value < 0 || value > UINT32_MAX) {
    return usage("SOURCE_DATE_EPOCH is not a time", text, "set it to seconds since 1970, or unset it");
  }
  return value;
}

// NAME alone is a value that `uni run` takes from its own environment: it is never recorded.
Expected<std::vector<std::string>> environment_of(const PackOptions& options) {
  for (const std::string& e : options.environment) {
    if (e.empty() || e.starts_with('=')) {
      return usage("`-e` needs NAME=VALUE or NAME", e, "for example `-e PORT=8080`");
    }
  }
  return options.environment;
}

Expected<std::vector<AddedPath>> added_of(const PackOptions& options) {
  std::vector<AddedPath> out;
  for (const std::string& a : options.added) {
    const std::size_t colon = a.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 2 > a.size() || a[colon + 1] != '/' ||
        a.substr(colon + 1) == "/") {
      return usage("`-a` needs HOST:GUEST with an absolute guest path", a, "for example `-a ./conf:/etc/server`");
    }
    fs::path host = a.substr(0, colon);
    // `dir/` is the directory.
    if (!host.has_filename()) host = host.parent_path();
    out.push_back({host, a.substr(colon + 1)});
  }
  return out;
}

Expected<void> set_user(const std::string& text, Manifest& m) {
  if (text.empty()) return {};
  const std::size_t colon = text.find(':');
  const auto parse = [](std::string_view t, unsigned& value) {
    const auto [end, error] = std::from_chars(t.begin(), t.end(), value);
    return error == std::errc{} && end == t.end();
  };
  const std::string_view view = text;
  if (!parse(view.substr(0, colon), m.uid) || (colon != std::string::npos && !parse(view.substr(colon + 1), m.gid))) {
    return usage("`-u` needs UID or UID:GID, as numbers", text, "for example `-u 1000:1000`");
  }
  return {};
}

// The permission that the code asks for, unless `--processes` decides. The evidence is in the manifest.
Expected<std::string> processes_of(const PackOptions& options, const SyscallReport& syscalls) {
  if (options.processes.empty()) return std::string(processes_wanted(syscalls));
  if (options.processes == "none" || options.processes == "fork" || options.processes == "exec")
    return options.processes;
  return usage("`--processes` is none, fork or exec", options.processes, "for example `--processes exec`");
}

// What happens to a call that was not found. Where some are not decided, a list would end what works.
Expected<std::string> call_mode_of(const PackOptions& options, const SyscallReport& syscalls) {
  if (options.call_mode.empty()) return std::string(syscalls.undecided.empty() ? "audit" : "all");
  if (is_call_mode(options.call_mode)) return options.call_mode;
  return usage("`--syscalls` is audit, enforce or all", options.call_mode, "for example `--syscalls enforce`");
}

Expected<PackResult> plan_program(const PackOptions& options) {
  ClosureRequest request;
  request.program = options.source;
  request.sysroot = options.sysroot;
  request.cwd = options.directory.empty() ? "/" : normalise(options.directory);
  auto recipes = all_recipes();
  if (!recipes) return std::unexpected(recipes.error());
  request.recipes = std::move(*recipes);
  auto environment = environment_of(options);
  if (!environment) return std::unexpected(environment.error());
  request.environment = std::move(*environment);
  auto added = added_of(options);
  if (!added) return std::unexpected(added.error());
  request.added = std::move(*added);
  request.programs = options.programs;
  request.package = options.package;
  auto time = image_time();
  if (!time) return std::unexpected(time.error());

  trace::Learned learned;
  for (const std::string& file : options.learn) {
    if (auto ok = trace::read_learned(file, learned); !ok) return std::unexpected(ok.error());
  }
  trace::add_learned(learned, request);

  auto closure = find_closure(request);
  if (!closure) return std::unexpected(closure.error());
  auto syscalls = find_syscalls(*closure);
  if (!syscalls) return std::unexpected(syscalls.error());

  PackResult result;
  Manifest& m = result.content;
  m.name = options.name.empty() ? fs::path(closure->program).filename().string() : options.name;
  if (m.name.find('/') != std::string::npos)
    return usage("`--name` is not a file name", m.name, "leave out the slashes");
  m.program = closure->program;
  m.interpreter = closure->interpreter;
  m.arguments = options.arguments;
  m.environment = closure->environment;
  m.directory = request.cwd;
  m.time = *time;
  if (auto ok = set_user(options.user, m); !ok) return std::unexpected(ok.error());
  m.files = std::move(closure->files);
  m.syscalls = std::move(*syscalls);
  for (const auto& [number, evidence] : closure->ports)
    add_port(m.syscalls, {number, evidence});
  auto processes = processes_of(options, m.syscalls);
  if (!processes) return std::unexpected(processes.error());
  m.processes = std::move(*processes);
  auto limits = limits_of(options.limits);
  if (!limits) return std::unexpected(limits.error());
  m.limits = std::move(*limits);
  trace::add_learned(learned, m);
  if (!options.processes.empty()) m.processes = options.processes;
  auto call_mode = call_mode_of(options, m.syscalls);
  if (!call_mode) return std::unexpected(call_mode.error());
  m.call_mode = std::move(*call_mode);
  result.notes = std::move(closure->notes);
  return result;
}

Expected<PackResult> plan_manifest(const PackOptions& options) {
  if (!options.package.empty() || !options.environment.empty() || !options.added.empty() ||
      !options.directory.empty() || !options.user.empty() || !options.arguments.empty() || !options.learn.empty() ||
      !options.programs.empty() || options.sysroot != "/" || !options.name.empty() || !options.processes.empty() ||
      !options.call_mode.empty() || !options.limits.empty()) {
    return usage("a manifest says everything itself", options.source, "edit the manifest, or give only `-o IMAGE`");
  }
  auto text = read_text(options.source);
  if (!text) return std::unexpected(text.error());
  auto manifest = parse_manifest(options.source, *text);
  if (!manifest) return std::unexpected(manifest.error());
  if (auto ok = check_files(*manifest, options.source); !ok) return std::unexpected(ok.error());
  PackResult result;
  result.content = std::move(*manifest);
  return result;
}

// For a flag whose value would be taken for the flag's absence.
std::string not_empty(const std::string& text) {
  return text.empty() ? "the value is empty" : "";
}

std::string size_text(std::uint64_t bytes) {
  return bytes < (1U << 20) ? fmt::format("{} KiB", (bytes + 1023) / 1024)
                            : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

Expected<int> run_pack(const PackOptions& options) {
  auto result = pack(options);
  if (!result) return std::unexpected(result.error());
  for (const std::string& note : result->notes)
    report::note(note);
  const auto files = std::ranges::count_if(result->content.files,
                                           [](const auto& f) { return f.second.kind == FileEntry::Kind::File; });
  std::string text =
      fmt::format("wrote {} ({}, {} files)", result->image.string(), size_text(result->disk_bytes), files);
  if (!result->manifest.empty()) text += " and " + result->manifest.string();
  report::note(text);
  if (!options.report.empty()) {
    const std::string json = inspection_json(inspection_of(result->content, "image", result->image));
    auto file = OutputFile::create(options.report);
    if (!file) return std::unexpected(file.error());
    if (auto ok = file->write(0, json); !ok) return std::unexpected(ok.error());
    if (auto ok = file->set_size(json.size()); !ok) return std::unexpected(ok.error());
    if (auto ok = file->commit(); !ok) return std::unexpected(ok.error());
  }
  if (!options.sign.empty()) {
    auto signature = sign_image(result->image, options.sign);
    if (!signature) return std::unexpected(signature.error());
    report::note("signed: " + signature->string());
  }
  return 0;
}

}  // namespace

fs::path kernel_path() {
  if (const char* path = std::getenv("UNI_KERNEL"); path != nullptr && *path != '\0') return path;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  // This is bin/NAME or lib/uni/NAME.
  const fs::path above = self.parent_path().parent_path();
  const fs::path prefix = above.filename() == "lib" ? above.parent_path() : above;
  return prefix / "share" / "uni" / "kernel-x86_64.elf";
}

Expected<PackResult> plan_pack(const PackOptions& options) {
  if (options.source.empty() && options.package.empty())
    return usage("nothing to pack", {}, "name a program, a manifest, or `--package NAME`");
  std::error_code error;
  const bool here = fs::exists(options.source, error);
  return here && looks_like_manifest(options.source) ? plan_manifest(options) : plan_program(options);
}

Expected<PackResult> pack(const PackOptions& options) {
  auto result = plan_pack(options);
  if (!result) return result;
  const Manifest& m = result->content;
  std::error_code error;
  const bool from_manifest = fs::exists(options.source, error) && looks_like_manifest(options.source);
  result->image = options.output.empty() ? fs::path(m.name + ".img") : fs::path(options.output);
  fs::path manifest_path = result->image;
  manifest_path.extension() == ".img" ? manifest_path.replace_extension(".yaml") : manifest_path += ".yaml";
  if (fs::is_directory(result->image, error)) {
    return usage("`-o` names a directory", result->image.string(), "name a file in it");
  }
  for (const fs::path& out : {result->image, manifest_path}) {
    if (!from_manifest && fs::equivalent(out, options.source, error)) {
      return usage("the output would replace the program", out.string(), "choose another name with `-o IMAGE`");
    }
  }
  std::optional<OutputFile> manifest;
  std::future<Expected<void>> manifest_written;
  if (!from_manifest) {
    const fs::path directory = fs::absolute(manifest_path).lexically_normal().parent_path();
    auto file = OutputFile::create(manifest_path);
    if (!file) {
      Diagnostic d = file.error();
      // The user has named the image: a directory that takes neither is told with both.
      if (!OutputFile::create(result->image)) d.where = result->image.string() + " and " + manifest_path.string();
      return fail(std::move(d));
    }
    manifest.emplace(std::move(*file));
    const auto write = [&, directory] { return manifest->write(0, write_manifest(m, directory, Origins::Relative)); };
    // Beside the image's own: with thousands of files each takes its time.
    manifest_written = std::async(std::launch::async, write);
    result->manifest = manifest_path;
  }
  const ImageRequest request{.output = result->image,
                             .kernel = kernel_path(),
                             .config = boot_config(m),
                             .manifest = write_manifest(m, {}, Origins::Names),
                             .files = &m.files,
                             .time = m.time};
  if (manifest) {
    if (auto ok = manifest_written.get(); !ok) return std::unexpected(ok.error());
  }
  if (auto ok = write_image(request); !ok) return std::unexpected(ok.error());
  if (manifest) {
    if (auto ok = manifest->commit(); !ok) {
      fs::remove(result->image, error);
      return std::unexpected(ok.error());
    }
  }
  struct stat st {};
  if (::stat(result->image.c_str(), &st) == 0) result->disk_bytes = static_cast<std::uint64_t>(st.st_blocks) * 512;
  return result;
}

void add_pack(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<PackOptions>();
  CLI::App* verb = app.add_subcommand("pack", "make an image of a program and everything that it needs");
  verb->add_option(
          "source", options->source,
          "an x86-64 Linux program, a `#!` script, or a manifest that `uni pack` wrote; with `--package` one of "
          "its programs")
      ->type_name("PROGRAM|MANIFEST");
  verb->add_option("-o,--output", options->output, "the image to write; the manifest goes beside it")
      ->check(not_empty)
      ->type_name("IMAGE");
  verb->add_option("-e,--env", options->environment,
                   "an environment variable; of NAME alone `uni run` takes the value from its own, it is not recorded")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  verb->add_option("-a,--add", options->added, "a file or directory to take along")
      ->type_name("HOST:GUEST")
      ->allow_extra_args(false);
  verb->add_option("--add-program", options->programs, "a program that PROGRAM executes, with all that it needs")
      ->type_name("PATH")
      ->allow_extra_args(false);
  verb->add_option("--package", options->package,
                   "an installed Debian package: its program, and the files of its dependency closure that it needs")
      ->type_name("NAME");
  verb->add_option("--learn", options->learn,
                   "add what a run lacked or a trace saw: a file of `uni run --log` or `uni trace -o`")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb->add_option("-w,--workdir", options->directory, "the program's working directory")->type_name("DIR");
  verb->add_option("-u,--user", options->user, "the program's user and group")->type_name("UID[:GID]");
  verb->add_option("--processes", options->processes,
                   "whether the program may fork and execute others; default: what its code can do")
      ->type_name("none|fork|exec");
  verb->add_option(
          "--limit", options->limits,
          "what the guest allows: `processes` and `threads` at a time, `files` and `memory` of a process, `cpu` of all")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
  verb->add_option(
          "--syscalls", options->call_mode,
          "system calls that were not found answer ENOSYS (audit) or end the program (enforce), or there is no "
          "list (all); default: audit, or all where some calls are not decided")
      ->type_name("audit|enforce|all");
  verb->add_option("--sysroot", options->sysroot, "the root of the system that the program is from")->type_name("DIR");
  verb->add_option("--report", options->report, "write what `uni inspect --json` says of the image into this file")
      ->check(not_empty)
      ->type_name("FILE");
  verb->add_option("--sign", options->sign, "a secret key of minisign or OpenSSH: sign the image")->type_name("KEY");
  verb->add_option("--name", options->name, "the image's name; default: the program's file name")
      ->check(not_empty)
      ->type_name("NAME");
  verb->add_option("arguments", options->arguments, "the program's arguments, after `--`")->type_name("ARG");
  verb->positionals_at_end(false);
  verb->footer(
      "Examples:\n"
      "  uni pack ./server\n"
      "  uni pack redis-server -o redis.img -- --save ''\n"
      "  uni pack python3 -a ./site:/srv -w /srv -- -m http.server 8080\n"
      "  uni pack --package nginx-light\n"
      "  uni pack ./start.sh --add-program cat --add-program ./server\n"
      "  uni pack --sysroot ./alpine-root /usr/sbin/nginx\n"
      "  uni pack server.yaml");
  verb->callback([options, &verbs] {
    options->arguments.insert(options->arguments.end(), verbs.program_arguments.begin(), verbs.program_arguments.end());
    verbs.chosen = [options] { return run_pack(*options); };
  });
}

}  // namespace uni
