// SPDX-License-Identifier: Apache-2.0
// The manifest is read before the program runs, so that a mistake in it costs nothing, and replaced as a whole.
#include "cli/commands/trace.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "cli/image/sparse_io.hpp"
#include "cli/report/report.hpp"
#include "cli/trace/learned.hpp"
#include "cli/trace/tracer.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

std::unexpected<Diagnostic> as_own_failure(Diagnostic d) {
  d.code = ExitCode::kRunFailed;
  return fail(std::move(d));
}

Expected<void> write_file(const std::string& path, const std::string& text) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  if (auto ok = file->write(0, text); !ok) return ok;
  if (auto ok = file->set_size(text.size()); !ok) return ok;
  return file->commit();
}

Expected<void> merge(const std::string& path, Manifest manifest, const trace::Learned& learned) {
  const std::size_t before = manifest.files.size();
  const std::size_t calls = manifest.syscalls.uses.size();
  if (auto ok = trace::add_learned_files(learned, manifest); !ok) return ok;
  trace::add_learned(learned, manifest);
  const auto directory = std::filesystem::absolute(path).lexically_normal().parent_path();
  if (auto ok = write_file(path, write_manifest(manifest, directory, Origins::Relative)); !ok) return ok;
  report::note(fmt::format("{}: {} files and {} system calls added; `uni pack {}` makes the image", path,
                           manifest.files.size() - before, manifest.syscalls.uses.size() - calls, path));
  return {};
}

}  // namespace

Expected<int> run_trace(const TraceOptions& options) {
  if (options.arguments.empty()) {
    return fail({.what = "no program is named",
                 .where = {},
                 .why = {},
                 .hint = "`uni trace -o FILE -- PROGRAM ARG...`",
                 .code = ExitCode::kRunFailed});
  }
  std::optional<Manifest> manifest;
  if (!options.manifest.empty()) {
    auto text = read_text(options.manifest);
    if (!text) return as_own_failure(text.error());
    auto parsed = parse_manifest(options.manifest, *text);
    if (!parsed) return as_own_failure(parsed.error());
    manifest.emplace(std::move(*parsed));
  }
  auto record = trace::run(options.arguments);
  if (!record) return std::unexpected(record.error());
  const std::string text = trace::trace_text(*record);
  if (!options.output.empty()) {
    if (auto ok = write_file(options.output, text); !ok) return as_own_failure(ok.error());
  }
  if (manifest) {
    if (auto ok = merge(options.manifest, std::move(*manifest), trace::learned_of(*record)); !ok)
      return as_own_failure(ok.error());
  }
  if (options.output.empty() && !manifest) std::fwrite(text.data(), 1, text.size(), stderr);
  return record->status;
}

void add_trace(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* verb = app.add_subcommand("trace", "run a program on this machine under ptrace and take down what it uses");
  verb->add_option("-o,--output", options->output, "write the trace into this file, for `uni pack --learn`")
      ->type_name("FILE");
  verb->add_option("--manifest", options->manifest, "add what was used to this manifest, with the reason `traced`")
      ->type_name("MANIFEST");
  verb->footer(
      "The program and its arguments stand after `--`. It keeps its descriptors and signals; the exit status is the\n"
      "program's, 128+N where signal N ended it, 125 where `uni` itself failed. Packing never runs a program: this "
      "does.\n"
      "Examples:\n"
      "  uni trace -o server.trace -- ./server --port 8080\n"
      "  uni pack ./server --learn server.trace\n"
      "  uni trace --manifest server.yaml -- ./server --self-test");
  verb->callback([options, &verbs] {
    verbs.is_run = true;
    options->arguments = verbs.program_arguments;
    verbs.chosen = [options] { return run_trace(*options); };
  });
}

}  // namespace uni
