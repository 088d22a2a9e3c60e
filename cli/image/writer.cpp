// SPDX-License-Identifier: Apache-2.0
// One pass per part. The GUIDs are derived from a digest over everything that goes in, so they are unique and the same
// for the same input.
#include "cli/image/writer.hpp"

#include "cli/image/gpt.hpp"
#include "cli/image/layout.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/digest.hpp"
#include "loader/analyze/elf_header.hpp"

namespace uni {
namespace {

std::uint64_t up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

Expected<std::string> read_kernel_file(const std::filesystem::path& path) {
  auto file = InputFile::open(path);
  const auto wrong = [&](const std::string& why) {
    return fail({.what = "no usable kernel",
                 .where = path.string(),
                 .why = why,
                 .hint = "build it with `cmake --build`, or install `uni` completely",
                 .code = ExitCode::kEnvironment});
  };
  if (!file) return wrong(file.error().why.empty() ? file.error().what : file.error().why);
  if (const auto header = read_elf_header(*file); !header) return wrong(header.error().what);
  return read_text(path);
}

// Over everything that makes the image; field lengths keep different lists apart.
Sha256::Digest digest_of(std::string_view kernel, const std::string& config, const std::string& manifest,
                         const FileMap& files) {
  Sha256 sum;
  const auto add = [&](std::string_view text) {
    sum.add(std::to_string(text.size()) + ":");
    sum.add(text);
  };
  add(sha256_of(kernel));
  add(config);
  add(manifest);
  for (const auto& [path, entry] : files) {
    add(path);
    add(std::to_string(static_cast<int>(entry.kind)) + " " + std::to_string(entry.mode) + " " +
        std::to_string(entry.mtime));
    add(entry.target);
    add(entry.sha256);
  }
  return sum.finish();
}

gpt::Guid numbered_guid(const Sha256::Digest& digest, char number) {
  Sha256 sum;
  sum.add({reinterpret_cast<const char*>(digest.data()), digest.size()});
  sum.add({&number, 1});
  return gpt::guid_from_digest(sum.finish());
}

std::span<const char> chars(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

gpt::Guid disk_guid(std::string_view kernel, const std::string& config, const std::string& manifest,
                    const FileMap& files) {
  return numbered_guid(digest_of(kernel, config, manifest, files), 0);
}

Expected<void> write_image(const ImageRequest& request) {
  auto kernel = read_kernel_file(request.kernel);
  if (!kernel) return std::unexpected(kernel.error());
  auto config = request.config.encode();
  if (!config) return std::unexpected(config.error());
  const Sha256::Digest digest = digest_of(*kernel, *config, request.manifest, *request.files);

  gpt::Table table;
  table.disk = numbered_guid(digest, 0);
  std::uint64_t end = gpt::kAlign;
  const auto add = [&](std::string_view name, std::string_view type, char number, std::uint64_t size) {
    table.partitions.push_back(
        {std::string(name), gpt::guid(type), numbered_guid(digest, number), end, up(size, gpt::kAlign)});
    end += up(size, gpt::kAlign);
  };
  add(layout::kKernelName, layout::kKernelType, 1, kernel->size());
  add(layout::kConfigName, layout::kConfigType, 2, kBootConfigLimit);
  add(layout::kRootName, layout::kRootType, 3, root_size(*request.files));
  add(layout::kManifestName, layout::kManifestType, 4, request.manifest.size() + 1);
  table.disk_size = end + gpt::kAlign;

  auto output = OutputFile::create(request.output);
  if (!output) return std::unexpected(output.error());
  if (auto ok = output->set_size(table.disk_size); !ok) return ok;
  if (auto ok = output->write(0, chars(gpt::encode_front(table))); !ok) return ok;
  if (auto ok = output->write(table.partitions[0].offset, *kernel); !ok) return ok;
  if (auto ok = output->write(table.partitions[1].offset, *config); !ok) return ok;
  if (auto ok = output->write(table.partitions[3].offset, request.manifest); !ok) return ok;

  std::uint64_t total = 0;
  for (const auto& [path, entry] : *request.files)
    total += entry.kind == FileEntry::Kind::File ? entry.size : 0;
  report::Progress progress("writing the image", total);
  RootOptions options;
  options.uuid = numbered_guid(digest, 5);
  options.time = request.time;
  options.progress = [&](std::uint64_t bytes, const std::string& path) { progress.advance(bytes, path); };
  const gpt::Partition& root = table.partitions[2];
  if (auto ok = write_root(*output, root.offset, root.size, *request.files, options); !ok) {
    Diagnostic d = ok.error();
    if (d.where.empty()) d.where = request.output.string();
    return fail(std::move(d));
  }
  const std::uint64_t back = table.disk_size - gpt::kBackSectors * gpt::kSector;
  if (auto ok = output->write(back, chars(gpt::encode_back(table))); !ok) return ok;
  return output->commit();
}

}  // namespace uni
