// SPDX-License-Identifier: Apache-2.0
// An image is described by the manifest in it, a manifest by itself, a program by what `uni pack` would do with it.
#include "cli/commands/inspect.hpp"

#include <memory>

#include "cli/commands/commands.hpp"
#include "cli/commands/inspect_diff.hpp"
#include "cli/commands/inspect_report.hpp"
#include "cli/commands/inspect_sbom.hpp"
#include "cli/commands/pack.hpp"
#include "cli/image/reader.hpp"
#include "cli/image/root_reader.hpp"
#include "cli/image/sparse_io.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/sha1.hpp"

namespace uni {
namespace {

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

// Into a file, which is whole or not there; `-` is stdout.
Expected<int> write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    report::data(text);
    return 0;
  }
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  if (auto ok = file->write(0, text); !ok) return std::unexpected(ok.error());
  if (auto ok = file->set_size(text.size()); !ok) return std::unexpected(ok.error());
  if (auto ok = file->commit(); !ok) return std::unexpected(ok.error());
  return 0;
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
  return write_text(options.sbom[1], text);
}

// What the subject is, in a word.
std::string_view type_of(const std::string& subject, const Manifest& manifest) {
  if (looks_like_image(subject)) return "image";
  if (looks_like_manifest(subject)) return "manifest";
  const std::string& i = manifest.interpreter;
  return i.empty() || i.substr(i.rfind('/') + 1).starts_with("ld") ? "program" : "script";
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
  const Inspection inspection =
      inspection_of(*manifest, type_of(subject, *manifest), looks_like_image(subject) ? subject : "");
  if (!options.html.empty()) {
    if (auto ok = write_text(options.html, inspection_html(inspection)); !ok) return ok;
  }
  if (options.json || options.html.empty())
    report::data(options.json ? inspection_json(inspection) : inspection_text(inspection));
  return inspection.verdict.kind == Verdict::Kind::WillNotRun ? static_cast<int>(ExitCode::kUnsupported) : 0;
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
  verb->add_option("--html", options->html, "write a page with a tree-map of the image; FILE - is stdout")
      ->type_name("FILE");
  verb->add_option("--sysroot", options->sysroot, "the root of the system that the program is from")->type_name("DIR");
  verb->footer(
      "Exit status: 0 the program runs, 3 the kernel lacks what it needs.\n"
      "Examples:\n"
      "  uni inspect server.img\n"
      "  uni inspect --html server.html server.img\n"
      "  uni inspect --diff old.img new.img\n"
      "  uni inspect server.img --sbom spdx server.spdx.json\n"
      "  uni inspect ./server --json | jq -r .verdict.status");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_inspect(*options); }; });
}

}  // namespace uni
