// SPDX-License-Identifier: Apache-2.0
// `uni verify`: an image against the manifest in it, or against one that is kept elsewhere. The partition identifiers
// are made of a digest over the kernel, the configuration, the manifest and the files, so they tell whether any of
// these was exchanged.
#include "cli/commands/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "cli/image/data_ranges.hpp"
#include "cli/image/gpt.hpp"
#include "cli/image/layout.hpp"
#include "cli/image/manifest_config.hpp"
#include "cli/image/root_reader.hpp"
#include "cli/image/signature.hpp"
#include "cli/image/writer.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

constexpr std::size_t kMostShown = 20;

struct VerifyOptions {
  std::string image;
  std::string manifest;  // empty: the one in the image
  std::string key;       // a public key: the signature is verified too
  std::string signature;
};

using Differences = std::vector<std::string>;

std::string_view kind_name(FileEntry::Kind kind) {
  return kind == FileEntry::Kind::Directory ? "directory" : kind == FileEntry::Kind::Symlink ? "symlink" : "file";
}

void compare(const std::string& path, const FileEntry& said, const RootEntry& found, std::int64_t time,
             Differences& out) {
  const auto differs = [&](std::string_view what, const auto& is, const auto& should) {
    if (is != should) out.push_back(fmt::format("{}: {} is {}, the manifest says {}", path, what, is, should));
  };
  if (said.kind != found.kind) return differs("it", kind_name(found.kind), kind_name(said.kind));
  if (said.kind == FileEntry::Kind::Symlink) return differs("the target", found.target, said.target);
  differs("the mode", fmt::format("{:04o}", found.mode), fmt::format("{:04o}", said.mode));
  differs("the owner", fmt::format("{}:{}", found.uid, found.gid), std::string("0:0"));
  if (said.kind != FileEntry::Kind::File) return;
  differs("the size", found.size, said.size);
  if (found.size == said.size) differs("the SHA-256", found.sha256, said.sha256);
  differs("the time", found.mtime, said.mtime != 0 ? said.mtime : time);
}

Expected<void> check_table(const ImageInfo& image, gpt::Table& table) {
  auto file = InputFile::open(image.path);
  if (!file) return std::unexpected(file.error());
  std::vector<std::uint8_t> front(gpt::kFrontSectors * gpt::kSector);
  std::vector<std::uint8_t> back(gpt::kBackSectors * gpt::kSector);
  const auto read = [&](std::vector<std::uint8_t>& to, std::uint64_t at) {
    // SAFETY: bytes as chars.
    return file->read_exact(at, {reinterpret_cast<char*>(to.data()), to.size()});
  };
  if (auto ok = read(front, 0); !ok) return ok;
  auto decoded = gpt::decode_front(front);
  if (!decoded) return std::unexpected(decoded.error());
  table = std::move(*decoded);
  if (auto ok = read(back, table.disk_size - back.size()); !ok) return ok;
  if (front != gpt::encode_front(table) || back != gpt::encode_back(table)) {
    return fail({.what = "damaged partition table",
                 .where = image.path.string(),
                 .why = "its two copies do not agree, or the protective record is changed",
                 .hint = "make the image again with `uni pack`"});
  }
  return {};
}

std::unexpected<Diagnostic> not_as_packed(const ImageInfo& image, std::string why) {
  return fail({.what = "damaged image",
               .where = image.path.string(),
               .why = std::move(why),
               .hint = "make the image again with `uni pack`"});
}

struct Range {
  std::uint64_t begin, end;
};

// The bytes that something else checks: all others are zero.
std::vector<Range> checked_ranges(const ImageInfo& image, const gpt::Table& table, const gpt::Partition& config,
                                  std::size_t config_size, std::size_t manifest_size) {
  const auto part = [](std::uint64_t at, std::uint64_t size) { return Range{at, at + size}; };
  std::vector<Range> out{part(0, gpt::kFrontSectors * gpt::kSector),
                         part(image.kernel.offset, image.kernel.size),
                         part(config.offset, config_size),
                         part(image.root.offset, image.root.size),
                         part(image.manifest.offset, manifest_size),
                         part(table.disk_size - gpt::kBackSectors * gpt::kSector, gpt::kBackSectors * gpt::kSector)};
  std::ranges::sort(out, {}, &Range::begin);
  return out;
}

bool is_zero(const InputFile& file, std::uint64_t begin, std::uint64_t end) {
  std::vector<char> buffer(std::size_t{1} << 16);
  while (begin < end) {
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - begin));
    if (!file.read_exact(begin, part) || std::ranges::any_of(part, [](char c) { return c != 0; })) return false;
    begin += part.size();
  }
  return true;
}

// The boot configuration's bytes, and the zeros between the parts and up to the file's end.
Expected<void> check_rest(const ImageInfo& image, const gpt::Table& table, const std::string& manifest) {
  auto file = InputFile::open(image.path);
  if (!file) return std::unexpected(file.error());
  auto config = image.config.encode();
  if (!config) return std::unexpected(config.error());
  const auto where = std::ranges::find(table.partitions, gpt::guid(layout::kConfigType), &gpt::Partition::type);
  std::string bytes(config->size(), '\0');
  if (where == table.partitions.end() || !file->read_exact(where->offset, bytes) || bytes != *config)
    return not_as_packed(image, "its boot configuration is not written as `uni pack` writes it");
  std::uint64_t at = 0;
  auto ranges = checked_ranges(image, table, *where, config->size(), manifest.size());
  ranges.push_back({image.size, image.size});
  for (const Range& range : ranges) {
    const bool good = for_data_ranges(file->fd(), at, std::max(at, range.begin),
                                      [&](std::uint64_t b, std::uint64_t e) { return is_zero(*file, b, e); });
    if (!good) return not_as_packed(image, fmt::format("there is something between its parts, behind byte {}", at));
    at = std::max(at, range.end);
  }
  return {};
}

Expected<Manifest> manifest_to_check(const VerifyOptions& options, const std::string& inside) {
  if (options.manifest.empty()) return parse_manifest(options.image, inside);
  auto text = read_text(options.manifest);
  return text ? parse_manifest(options.manifest, *text) : std::unexpected(text.error());
}

// The digest that names the partitions, over what the image holds now.
Expected<bool> identifiers_hold(const ImageInfo& image, const gpt::Table& table, const std::string& text,
                                const Manifest& inside) {
  auto kernel = read_kernel(image);
  if (!kernel) return std::unexpected(kernel.error());
  auto config = image.config.encode();
  if (!config) return std::unexpected(config.error());
  return table.disk == disk_guid({kernel->data(), kernel->size()}, *config, text, inside.files);
}

Expected<int> run_verify(const VerifyOptions& options) {
  if (!options.key.empty()) {
    if (auto ok = verify_signature(options.image, options.key, options.signature); !ok)
      return std::unexpected(ok.error());
  }
  auto image = open_image(options.image);
  if (!image) return std::unexpected(image.error());
  gpt::Table table;
  if (auto ok = check_table(*image, table); !ok) return std::unexpected(ok.error());
  auto text = read_manifest_text(*image);
  if (!text) return std::unexpected(text.error());
  if (auto ok = check_rest(*image, table, *text); !ok) return std::unexpected(ok.error());
  auto inside = parse_manifest(options.image, *text);
  if (!inside) return std::unexpected(inside.error());
  auto manifest = manifest_to_check(options, *text);
  if (!manifest) return std::unexpected(manifest.error());

  std::uint64_t total = 0;
  for (const auto& [path, entry] : manifest->files)
    total += entry.size;
  report::Progress progress("verifying", total);
  auto root = read_root(*image, WithSha1::No, [&](std::uint64_t bytes) { progress.advance(bytes); });
  if (!root) return std::unexpected(root.error());

  Differences differences;
  for (const auto& [path, entry] : manifest->files) {
    const auto found = root->find(path);
    if (found == root->end()) {
      differences.push_back(path + ": is not in the image");
    } else {
      compare(path, entry, found->second, manifest->time, differences);
    }
  }
  for (const auto& [path, entry] : *root) {
    if (!manifest->files.contains(path)) differences.push_back(path + ": is not in the manifest");
  }
  if (boot_config(*manifest) != image->config) differences.push_back("the boot configuration is not the manifest's");
  if (differences.empty() && write_manifest(*manifest, {}, Origins::Names) != *text)
    differences.push_back("the manifest in the image says something else");
  auto identifiers = identifiers_hold(*image, table, *text, *inside);
  if (!identifiers) return std::unexpected(identifiers.error());
  if (!*identifiers)
    differences.push_back("the partition identifiers do not belong to this kernel, configuration and manifest");

  for (std::size_t i = 0; i < std::min(differences.size(), kMostShown); ++i)
    report::data(differences[i] + "\n");
  if (!differences.empty()) {
    return fail(
        {.what = fmt::format("{} difference{}", differences.size(), differences.size() == 1 ? "" : "s"),
         .where = options.image,
         .why = "the image is not what " + (options.manifest.empty() ? "its manifest" : options.manifest) + " says",
         .hint = "make the image again with `uni pack`"});
  }
  report::note(fmt::format("{} is what {} says: {} entries, {} bytes{}", options.image,
                           options.manifest.empty() ? "its manifest" : options.manifest, manifest->files.size(), total,
                           options.key.empty() ? "" : ", the signature is good"));
  return 0;
}

}  // namespace

void add_verify(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verb = app.add_subcommand("verify", "check every byte of an image against its manifest");
  verb->add_option("image", options->image, "the image")->required()->type_name("IMAGE");
  verb->add_option("manifest", options->manifest, "the manifest; default: the one in the image")->type_name("MANIFEST");
  verb->add_option("--key", options->key, "a public key of minisign or OpenSSH: the signature must be its")
      ->type_name("FILE");
  verb->add_option("--signature", options->signature, "default: IMAGE.minisig or IMAGE.sig beside the image")
      ->type_name("FILE");
  verb->footer(
      "Exit status: 0 the image is what the manifest says, 1 it is not; the differences go to standard output.\n"
      "Examples:\n"
      "  uni verify server.img\n"
      "  uni verify server.img released/server.yaml --key uni.pub");
  verb->callback([options, &verbs] { verbs.chosen = [options] { return run_verify(*options); }; });
}

}  // namespace uni
