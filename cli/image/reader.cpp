// SPDX-License-Identifier: Apache-2.0
// Reads images. Every length that the file states is checked against the file's own size before it is used.
#include "cli/image/reader.hpp"

#include <elf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "cli/image/gpt.hpp"
#include "cli/image/layout.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

constexpr std::string_view kRepack = "make the image again with `uni pack`";

std::unexpected<Diagnostic> bad(const std::filesystem::path& path, std::string what, std::string why) {
  return fail({.what = std::move(what), .where = path.string(), .why = std::move(why), .hint = std::string(kRepack)});
}

// The length of the ELF file at the start of the kernel's partition: whatever header, segment or section ends last.
Expected<std::uint64_t> elf_length(const InputFile& file, const gpt::Partition& part) {
  Elf64_Ehdr ehdr{};
  const auto damaged = [&] { return bad(file.path(), "damaged image", "its kernel is not a whole ELF file"); };
  const auto read_at = [&](std::uint64_t at, std::span<char> to) -> bool {
    return at <= part.size && to.size() <= part.size - at && file.read_exact(part.offset + at, to).has_value();
  };
  if (!read_at(0, {reinterpret_cast<char*>(&ehdr), sizeof ehdr})) return damaged();
  if (std::memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS64) return damaged();
  if (ehdr.e_phnum == 0 || ehdr.e_phentsize != sizeof(Elf64_Phdr)) return damaged();
  std::uint64_t end = sizeof ehdr;
  const auto extend = [&](std::uint64_t offset, std::uint64_t size) {
    if (offset > part.size || size > part.size - offset) return false;
    end = std::max(end, offset + size);
    return true;
  };
  if (!extend(ehdr.e_phoff, std::uint64_t{ehdr.e_phnum} * sizeof(Elf64_Phdr))) return damaged();
  if (!extend(ehdr.e_shoff, std::uint64_t{ehdr.e_shnum} * sizeof(Elf64_Shdr))) return damaged();
  for (unsigned i = 0; i < ehdr.e_phnum; ++i) {
    Elf64_Phdr ph{};
    if (!read_at(ehdr.e_phoff + i * sizeof ph, {reinterpret_cast<char*>(&ph), sizeof ph})) return damaged();
    if (ph.p_type != PT_NULL && ph.p_filesz != 0 && !extend(ph.p_offset, ph.p_filesz)) return damaged();
  }
  for (unsigned i = 0; i < ehdr.e_shnum; ++i) {
    Elf64_Shdr sh{};
    if (!read_at(ehdr.e_shoff + i * sizeof sh, {reinterpret_cast<char*>(&sh), sizeof sh})) return damaged();
    if (sh.sh_type != SHT_NULL && sh.sh_type != SHT_NOBITS && !extend(sh.sh_offset, sh.sh_size)) return damaged();
  }
  return end;
}

Expected<void> check_not_cut(const InputFile& file, const gpt::Table& table) {
  if (file.size() < table.disk_size) {
    return bad(file.path(), "the image is cut",
               "it has " + std::to_string(file.size()) + " of " + std::to_string(table.disk_size) + " bytes");
  }
  return {};
}

}  // namespace

bool looks_like_image(const std::filesystem::path& path) {
  auto file = InputFile::open(path);
  char magic[8] = {};
  return file && file->size() >= gpt::kSector + sizeof magic && file->read_exact(gpt::kSector, magic).has_value() &&
         std::memcmp(magic, "EFI PART", sizeof magic) == 0;
}

Expected<ImageInfo> open_image(const std::filesystem::path& path) {
  auto file = InputFile::open(path);
  if (!file) return std::unexpected(file.error());
  std::vector<std::uint8_t> front(gpt::kFrontSectors * gpt::kSector);
  if (file->size() < front.size()) {
    return bad(path, "not an image of `uni pack`", "it has only " + std::to_string(file->size()) + " bytes");
  }
  const std::span front_chars(reinterpret_cast<char*>(front.data()), front.size());
  if (auto ok = file->read_exact(0, front_chars); !ok) return std::unexpected(ok.error());
  auto table = gpt::decode_front(front);
  if (!table) return bad(path, table.error().what, table.error().why);
  if (auto ok = check_not_cut(*file, *table); !ok) return std::unexpected(ok.error());

  const gpt::Partition* kernel = nullptr;
  const gpt::Partition* config = nullptr;
  const gpt::Partition* root = nullptr;
  const gpt::Partition* manifest = nullptr;
  for (const gpt::Partition& p : table->partitions) {
    if (p.type == gpt::guid(layout::kKernelType)) kernel = &p;
    if (p.type == gpt::guid(layout::kConfigType)) config = &p;
    if (p.type == gpt::guid(layout::kManifestType)) manifest = &p;
    if (p.name == layout::kRootName) root = &p;
  }
  if (kernel == nullptr || config == nullptr || root == nullptr) {
    return bad(path, "not an image of `uni pack`", "it is a disk without the partitions of `uni`");
  }
  ImageInfo info;
  info.path = path;
  info.size = file->size();
  auto length = elf_length(*file, *kernel);
  if (!length) return std::unexpected(length.error());
  info.kernel = {kernel->offset, *length};
  info.root = {root->offset, root->size};
  if (manifest != nullptr) info.manifest = {manifest->offset, manifest->size};
  std::string text(std::min<std::uint64_t>(config->size, kBootConfigLimit), '\0');
  if (auto ok = file->read_exact(config->offset, text); !ok) return std::unexpected(ok.error());
  auto decoded = BootConfig::decode(text);
  if (!decoded) return bad(path, decoded.error().what, decoded.error().why);
  info.config = std::move(*decoded);
  return info;
}

Expected<std::vector<char>> read_kernel(const ImageInfo& image) {
  auto file = InputFile::open(image.path);
  if (!file) return std::unexpected(file.error());
  if (image.kernel.offset > file->size() || image.kernel.size > file->size() - image.kernel.offset) {
    return bad(image.path, "the image is cut", "its kernel is not whole");
  }
  std::vector<char> bytes(image.kernel.size);
  if (auto ok = file->read_exact(image.kernel.offset, bytes); !ok) return std::unexpected(ok.error());
  return bytes;
}

Expected<std::string> read_manifest_text(const ImageInfo& image) {
  constexpr std::uint64_t kLimit = std::uint64_t{256} << 20;
  if (image.manifest.size == 0) return std::string();
  if (image.manifest.size > kLimit) return bad(image.path, "damaged image", "its manifest is too large");
  auto file = InputFile::open(image.path);
  if (!file) return std::unexpected(file.error());
  std::string text(image.manifest.size, '\0');
  if (auto ok = file->read_exact(image.manifest.offset, text); !ok) return std::unexpected(ok.error());
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace uni
