// SPDX-License-Identifier: Apache-2.0
// Reads ELF headers (System V gABI chapters 4 and 5; x86-64 psABI). Refuses every length or offset that leaves the
// file.
#include "loader/analyze/elf_header.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace uni {
namespace {

constexpr unsigned kMaxProgramHeaders = 4096;
constexpr std::uint64_t kMaxInterpreter = 4096;

std::unexpected<Diagnostic> bad(const InputFile& file, std::string what, std::string why, std::string hint) {
  return fail({.what = std::move(what), .where = file.path().string(), .why = std::move(why), .hint = std::move(hint)});
}

std::unexpected<Diagnostic> truncated(const InputFile& file, const char* part) {
  return bad(file, "truncated ELF file", "its " + std::to_string(file.size()) + " bytes end before " + part + " does",
             "get or build the file again");
}

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_AARCH64:
      return "AArch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_S390:
      return "S/390";
    case EM_MIPS:
      return "MIPS";
    default:
      return "ELF machine " + std::to_string(machine);
  }
}

Expected<void> check_identity(const InputFile& file, const Elf64_Ehdr& ehdr, std::size_t got) {
  const unsigned char* id = ehdr.e_ident;
  if (got == 0) return bad(file, "is empty", {}, "name a Linux program");
  if (got >= 2 && id[0] == '#' && id[1] == '!') {
    return bad(file, "is a script, not an ELF program", "it begins with `#!`", "name the program of its first line");
  }
  if (got < SELFMAG || std::memcmp(id, ELFMAG, SELFMAG) != 0) {
    return bad(file, "is not an ELF program", "it does not begin with the ELF magic number",
               "`file " + file.path().string() + "` shows what it is");
  }
  if (got < EI_NIDENT) return truncated(file, "the ELF header");
  if (id[EI_CLASS] == ELFCLASS32) {
    return bad(file, "is a 32-bit program", "only x86-64 is supported", "build it for x86-64");
  }
  if (id[EI_CLASS] != ELFCLASS64) return bad(file, "damaged ELF file", "its class is unknown", "get the file again");
  if (got < sizeof ehdr) return truncated(file, "the ELF header");
  if (id[EI_DATA] != ELFDATA2LSB || ehdr.e_machine != EM_X86_64) {
    return bad(file, "is built for another machine",
               id[EI_DATA] != ELFDATA2LSB ? "it is big-endian" : "it is for " + machine_name(ehdr.e_machine),
               "build it for x86-64");
  }
  if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) {
    const char* kind = ehdr.e_type == ET_REL    ? "it is an object file"
                       : ehdr.e_type == ET_CORE ? "it is a core dump"
                                                : "its ELF type is unknown";
    return bad(file, "is not a program", kind, "name a linked executable");
  }
  return {};
}

// What one program header adds to the facts.
Expected<void> take(const InputFile& file, const Elf64_Phdr& ph, ElfHeader& out) {
  if (ph.p_type == PT_NULL) return {};
  const bool inside = ph.p_offset <= file.size() && ph.p_filesz <= file.size() - ph.p_offset;
  if (ph.p_type == PT_LOAD) {
    if (!inside) return truncated(file, "a segment");
    if (ph.p_filesz > ph.p_memsz || ph.p_vaddr + ph.p_memsz < ph.p_vaddr) {
      return bad(file, "damaged ELF file", "a segment's size is wrong", "get the file again");
    }
    out.segments.push_back({ph.p_offset, ph.p_vaddr, ph.p_filesz, ph.p_memsz, ph.p_flags});
  } else if (ph.p_type == PT_INTERP) {
    if (!inside) return truncated(file, "the interpreter's name");
    if (ph.p_filesz < 2 || ph.p_filesz > kMaxInterpreter) {
      return bad(file, "damaged ELF file", "its interpreter's name has no usable length", "get the file again");
    }
    std::string name(ph.p_filesz, '\0');
    if (auto ok = file.read_exact(ph.p_offset, name); !ok) return ok;
    if (name.back() != '\0' || name[0] != '/') {
      return bad(file, "damaged ELF file", "its interpreter is not an absolute path", "get the file again");
    }
    out.interpreter = name.c_str();
  } else if (ph.p_type == PT_DYNAMIC) {
    if (!inside) return truncated(file, "the dynamic section");
    out.dynamic = true;
  } else if (ph.p_type == PT_GNU_EH_FRAME && inside) {
    out.eh_frame_hdr = ph.p_vaddr;
    out.eh_frame_hdr_size = ph.p_filesz;
  }
  return {};
}

}  // namespace

std::int64_t ElfHeader::offset_of(std::uint64_t address, std::uint64_t size) const {
  for (const LoadSegment& s : segments) {
    if (address >= s.address && address - s.address <= s.file_size && size <= s.file_size - (address - s.address)) {
      return static_cast<std::int64_t>(s.offset + (address - s.address));
    }
  }
  return -1;
}

Expected<ElfHeader> read_elf_header(const InputFile& file) {
  Elf64_Ehdr ehdr{};
  const auto got = file.read_some(0, {reinterpret_cast<char*>(&ehdr), sizeof ehdr});
  if (!got) return std::unexpected(got.error());
  if (auto ok = check_identity(file, ehdr, *got); !ok) return std::unexpected(ok.error());
  if (ehdr.e_phnum == 0) return bad(file, "is not a program", "it has no program headers", "name a linked executable");
  if (ehdr.e_phentsize != sizeof(Elf64_Phdr) || ehdr.e_phnum > kMaxProgramHeaders) {
    return bad(file, "damaged ELF file", "its program headers have a wrong size", "get the file again");
  }
  const std::uint64_t table = std::uint64_t{ehdr.e_phnum} * sizeof(Elf64_Phdr);
  if (ehdr.e_phoff > file.size() || table > file.size() - ehdr.e_phoff)
    return truncated(file, "the program header table");
  std::vector<Elf64_Phdr> phs(ehdr.e_phnum);
  if (auto ok = file.read_exact(ehdr.e_phoff, {reinterpret_cast<char*>(phs.data()), table}); !ok) {
    return std::unexpected(ok.error());
  }
  ElfHeader out;
  out.position_independent = ehdr.e_type == ET_DYN;
  out.entry = ehdr.e_entry;
  for (const Elf64_Phdr& ph : phs) {
    if (auto ok = take(file, ph, out); !ok) return std::unexpected(ok.error());
  }
  if (out.segments.empty())
    return bad(file, "is not a program", "it has no loadable segment", "name a linked executable");
  return out;
}

bool is_foreign_elf(const InputFile& file) {
  Elf64_Ehdr ehdr{};
  const auto got = file.read_some(0, {reinterpret_cast<char*>(&ehdr), sizeof ehdr});
  if (!got || *got < 20 || std::memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0) return false;
  return ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_ident[EI_DATA] != ELFDATA2LSB || ehdr.e_machine != EM_X86_64;
}

}  // namespace uni
