// SPDX-License-Identifier: Apache-2.0
#include "cli/vmm/kernel_file.hpp"

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>

namespace uni::vmm {
namespace {

constexpr std::uint32_t kPhys32Entry = 18;
constexpr std::uint64_t kMostNotes = 65536;

template <typename T>
bool read_at(const InputFile& file, std::uint64_t offset, T& out) {
  const auto got = file.read_some(offset, {reinterpret_cast<char*>(&out), sizeof out});
  return got && *got == sizeof out;
}

// ELF gABI, "Note Section": name and description are padded to four bytes.
bool has_entry_note(const std::string& notes) {
  for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::size_t name = at + sizeof note;
    const std::uint64_t length =
        (std::uint64_t{note.n_namesz} + 3) / 4 * 4 + (std::uint64_t{note.n_descsz} + 3) / 4 * 4;
    if (length > notes.size() - name) return false;
    if (note.n_type == kPhys32Entry &&
        std::string_view(notes).substr(name, note.n_namesz) == std::string_view("Xen", 4))
      return true;
    at = name + length;
  }
  return false;
}

}  // namespace

Expected<void> check_kernel(const InputFile& file) {
  const auto wrong = [&](std::string why) {
    return fail(
        {.what = "is not a kernel of `uni`",
         .where = file.path().string(),
         .why = std::move(why),
         .hint = "`--kernel` takes the file `kernel-x86_64.elf` of a build; without it the image's own kernel boots"});
  };
  Elf64_Ehdr header;
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return wrong("it is no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) return wrong("it is not for x86-64");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read_at(file, header.e_phoff + std::uint64_t{i} * sizeof segment, segment)) break;
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNotes) continue;
    std::string notes(segment.p_filesz, '\0');
    if (file.read_exact(segment.p_offset, notes) && has_entry_note(notes)) return {};
  }
  return wrong("it has no entry for a virtual machine (PVH)");
}

}  // namespace uni::vmm
