// SPDX-License-Identifier: Apache-2.0
// System V gABI chapters 4 and 5; DT_RELR of the gABI's draft; LSB core 10.6 for .eh_frame_hdr.
#include "loader/analyze/elf_image.hpp"

#include <elf.h>

#include <algorithm>
#include <array>

#include "loader/analyze/go_functions.hpp"

namespace uni {
namespace {

constexpr std::uint64_t kDtRelrSize = 35;  // DT_RELRSZ; Debian 12's elf.h has the names, older ones not
constexpr std::uint64_t kDtRelr = 36;
constexpr std::uint64_t kMostSymbols = 1U << 24;

// A table in the file, cut to what is there.
template <typename T>
class Table {
 public:
  Table(std::string_view bytes, std::uint64_t count)
      : bytes_(bytes), count_(std::min<std::uint64_t>(count, bytes.size() / sizeof(T))) {}
  std::uint64_t size() const { return count_; }
  T operator[](std::uint64_t i) const {
    T value;
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof value);
    return value;
  }

 private:
  std::string_view bytes_;
  std::uint64_t count_;
};

std::string_view slice(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  return offset > bytes.size() ? std::string_view() : bytes.substr(offset, size);
}

std::string_view name_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = strings.substr(offset);
  const std::size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

ImageSymbol symbol_of(const Elf64_Sym& s, std::string_view strings) {
  const unsigned type = ELF64_ST_TYPE(s.st_info);
  return {.name = name_at(strings, s.st_name),
          .address = s.st_value,
          .size = s.st_size,
          .function = type == STT_FUNC || type == STT_GNU_IFUNC,
          .defined = s.st_shndx != SHN_UNDEF};
}

class Reader {
 public:
  explicit Reader(ElfImage& out) : out_(out) {}

  void run() {
    read_sections();
    if (out_.code.empty()) {
      for (const LoadSegment& s : out_.header.segments) {
        if ((s.flags & PF_X) != 0) out_.code.push_back({s.address, s.address + s.file_size});
      }
    }
    read_dynamic();
    read_unwind_table();
    std::ranges::sort(out_.relocations, {}, &ImageRelocation::where);
    if (out_.local.empty() && go_table_ != 0) out_.local = go_functions(out_, go_table_, go_text_);
  }

 private:
  void read_sections() {
    const Table<Elf64_Ehdr> start(out_.bytes, 1);
    if (start.size() == 0) return;
    const Elf64_Ehdr ehdr = start[0];
    if (ehdr.e_shentsize != sizeof(Elf64_Shdr)) return;
    const Table<Elf64_Shdr> sections(slice(out_.bytes, ehdr.e_shoff, out_.bytes.size()), ehdr.e_shnum);
    const std::string_view names =
        ehdr.e_shstrndx < sections.size() ? body(sections[ehdr.e_shstrndx]) : std::string_view();
    std::vector<AddressRange> code;
    for (std::uint64_t i = 0; i < sections.size(); ++i) {
      const Elf64_Shdr s = sections[i];
      const std::string_view name = name_at(names, s.sh_name);
      if (name == ".gopclntab" || name == ".note.go.buildid") out_.go = true;
      if (name.ends_with(".gopclntab")) go_table_ = s.sh_addr;
      if (name == ".text") go_text_ = s.sh_addr;
      if ((s.sh_flags & SHF_EXECINSTR) != 0 && (s.sh_flags & SHF_ALLOC) != 0 && s.sh_type == SHT_PROGBITS) {
        if (!executed(s)) continue;
        code.push_back({s.sh_addr, s.sh_addr + s.sh_size});
        if (name.starts_with(".plt")) {
          const std::uint64_t size = s.sh_entsize == 8 || s.sh_entsize == 16 ? s.sh_entsize : 16;
          out_.stubs.push_back({code.back(), size});
        }
      } else if ((s.sh_flags & SHF_ALLOC) != 0) {
        out_.data_starts.push_back(s.sh_addr);
        if (name == ".got" || name == ".got.plt") out_.got.push_back({s.sh_addr, s.sh_addr + s.sh_size});
      } else if (s.sh_type == SHT_SYMTAB && s.sh_link < sections.size()) {
        const std::string_view strings = body(sections[s.sh_link]);
        const Table<Elf64_Sym> table(body(s), kMostSymbols);
        for (std::uint64_t k = 0; k < table.size(); ++k) {
          const ImageSymbol symbol = symbol_of(table[k], strings);
          if (symbol.function && symbol.defined) out_.local.push_back(symbol);
        }
      }
    }
    std::ranges::sort(code, {}, &AddressRange::begin);
    // Sections are only a convenience: they count where they cover the entry and begin all of the executable segments.
    const std::uint64_t entry = out_.header.entry;
    const bool plausible =
        entry == 0 || std::ranges::any_of(code, [&](const AddressRange& r) { return r.holds(entry); });
    if (plausible) out_.code = std::move(code);
  }

  bool executed(const Elf64_Shdr& s) const {
    return std::ranges::any_of(out_.header.segments, [&](const LoadSegment& l) {
      return (l.flags & PF_X) != 0 && s.sh_addr >= l.address && s.sh_addr - l.address <= l.file_size &&
             s.sh_size <= l.file_size - (s.sh_addr - l.address);
    });
  }

  std::string_view body(const Elf64_Shdr& s) const {
    return s.sh_type == SHT_NOBITS ? std::string_view() : slice(out_.bytes, s.sh_offset, s.sh_size);
  }

  void read_dynamic() {
    const Table<Elf64_Ehdr> start(out_.bytes, 1);
    if (start.size() == 0) return;
    const Table<Elf64_Phdr> headers(slice(out_.bytes, start[0].e_phoff, out_.bytes.size()), start[0].e_phnum);
    for (std::uint64_t i = 0; i < headers.size(); ++i) {
      if (headers[i].p_type != PT_DYNAMIC) continue;
      const Table<Elf64_Dyn> entries(slice(out_.bytes, headers[i].p_offset, headers[i].p_filesz), UINT64_MAX);
      for (std::uint64_t k = 0; k < entries.size() && entries[k].d_tag != DT_NULL; ++k) {
        const auto tag = static_cast<std::uint64_t>(entries[k].d_tag);
        if (tag < tags_.size()) tags_[tag] = entries[k].d_un.d_val;
        if (entries[k].d_tag == DT_GNU_HASH) gnu_hash_ = entries[k].d_un.d_val;
      }
      break;
    }
    read_dynamic_symbols();
    read_relocations();
    for (const std::uint64_t tag : {DT_INIT, DT_FINI}) {
      if (tags_[tag] != 0) out_.initial.push_back(tags_[tag]);
    }
    read_array(DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ);
    read_array(DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
    read_array(DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
  }

  // Pointers of an array, from the file and from the relocations that fill it.
  void read_array(std::uint64_t address_tag, std::uint64_t size_tag) {
    const std::uint64_t address = tags_[address_tag];
    const std::uint64_t size = tags_[size_tag];
    if (address == 0) return;
    const Table<std::uint64_t> pointers(out_.at(address).substr(0, std::min(size, out_.at(address).size())),
                                        UINT64_MAX);
    for (std::uint64_t i = 0; i < pointers.size(); ++i)
      out_.initial.push_back(pointers[i]);
    for (const ImageRelocation& r : out_.relocations) {
      if (r.where >= address && r.where - address < size && r.type == R_X86_64_RELATIVE)
        out_.initial.push_back(static_cast<std::uint64_t>(r.addend));
    }
  }

  // The dynamic symbol table states no length: the hash tables do.
  std::uint64_t symbol_count() const {
    if (tags_[DT_HASH] != 0) return out_.read<std::uint32_t>(tags_[DT_HASH] + 4).value_or(0);
    if (gnu_hash_ == 0) return 0;
    const auto buckets = out_.read<std::uint32_t>(gnu_hash_);
    const auto first = out_.read<std::uint32_t>(gnu_hash_ + 4);
    const auto bloom = out_.read<std::uint32_t>(gnu_hash_ + 8);
    if (!buckets || !first || !bloom) return 0;
    const std::uint64_t table = gnu_hash_ + 16 + std::uint64_t{*bloom} * 8;
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < *buckets; ++i) {
      const auto head = out_.read<std::uint32_t>(table + i * 4);
      if (!head) break;
      last = std::max<std::uint64_t>(last, *head);
    }
    if (last < *first) return *first;
    const std::uint64_t chains = table + std::uint64_t{*buckets} * 4;
    for (; last < kMostSymbols; ++last) {
      const auto hash = out_.read<std::uint32_t>(chains + (last - *first) * 4);
      if (!hash || (*hash & 1) != 0) break;
    }
    return last + 1;
  }

  void read_dynamic_symbols() {
    if (tags_[DT_SYMTAB] == 0) return;
    const std::string_view all = out_.at(tags_[DT_STRTAB]);
    const std::string_view strings = all.substr(0, std::min<std::uint64_t>(tags_[DT_STRSZ], all.size()));
    const Table<Elf64_Sym> table(out_.at(tags_[DT_SYMTAB]), std::min(symbol_count(), kMostSymbols));
    for (std::uint64_t i = 0; i < table.size(); ++i)
      out_.dynamic.push_back(symbol_of(table[i], strings));
    // A file without hash tables: the symbols that relocations name are still there.
  }

  void read_rela(std::uint64_t address, std::uint64_t size) {
    if (address == 0) return;
    const Table<Elf64_Rela> table(out_.at(address), size / sizeof(Elf64_Rela));
    for (std::uint64_t i = 0; i < table.size(); ++i) {
      const Elf64_Rela r = table[i];
      out_.relocations.push_back({r.r_offset, static_cast<unsigned>(ELF64_R_TYPE(r.r_info)),
                                  static_cast<unsigned>(ELF64_R_SYM(r.r_info)), r.r_addend});
    }
  }

  void read_relocations() {
    read_rela(tags_[DT_RELA], tags_[DT_RELASZ]);
    read_rela(tags_[DT_JMPREL], tags_[DT_PLTRELSZ]);
    if (tags_[kDtRelr] == 0) return;
    const Table<std::uint64_t> table(out_.at(tags_[kDtRelr]), tags_[kDtRelrSize] / 8);
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < table.size(); ++i) {
      const std::uint64_t entry = table[i];
      if ((entry & 1) == 0) {
        add_relative(entry);
        next = entry + 8;
        continue;
      }
      for (unsigned bit = 1; bit < 64; ++bit) {
        if ((entry >> bit & 1) != 0) add_relative(next + (bit - 1) * 8);
      }
      next += std::uint64_t{63} * 8;
    }
  }

  void add_relative(std::uint64_t where) {
    const auto value = out_.read<std::int64_t>(where);
    if (value) out_.relocations.push_back({where, R_X86_64_RELATIVE, 0, *value});
  }

  // Version 1, eh_frame_ptr as sdata4 pc-relative, the count as udata4, the table as sdata4 relative to the header.
  void read_unwind_table() {
    const std::uint64_t hdr = out_.header.eh_frame_hdr;
    if (hdr == 0) return;
    const auto start = out_.read<std::uint32_t>(hdr);
    const auto count = out_.read<std::uint32_t>(hdr + 8);
    if (!start || *start != 0x3b031b01 || !count || *count > out_.header.eh_frame_hdr_size / 8) return;
    const Table<std::array<std::int32_t, 2>> table(out_.at(hdr + 12), *count);
    for (std::uint64_t i = 0; i < table.size(); ++i) {
      const std::uint64_t begin = hdr + static_cast<std::uint64_t>(std::int64_t{table[i][0]});
      const std::uint64_t entry = hdr + static_cast<std::uint64_t>(std::int64_t{table[i][1]});
      // The entry's range: behind its length, its CIE pointer and its begin, with the table's encoding.
      const std::uint64_t size = out_.read<std::uint32_t>(entry + 12).value_or(0);
      out_.unwound.push_back({begin, begin + size});
    }
    std::ranges::sort(out_.unwound, {}, &AddressRange::begin);
  }

  ElfImage& out_;
  std::array<std::uint64_t, 40> tags_{};
  std::uint64_t gnu_hash_ = 0;
  std::uint64_t go_table_ = 0;
  std::uint64_t go_text_ = 0;
};

}  // namespace

bool ElfImage::is_code(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(code, address, {}, &AddressRange::begin);
  return after != code.begin() && std::prev(after)->holds(address);
}

bool ElfImage::is_got(std::uint64_t address) const {
  return std::ranges::any_of(got, [&](const AddressRange& r) { return r.holds(address); });
}

bool ElfImage::is_mapped(std::uint64_t address) const {
  return std::ranges::any_of(header.segments, [&](const LoadSegment& s) {
    return address >= s.address && address - s.address < s.memory_size;
  });
}

std::string_view ElfImage::at(std::uint64_t address) const {
  for (const LoadSegment& s : header.segments) {
    if (address < s.address || address - s.address >= s.file_size) continue;
    return slice(bytes, s.offset + (address - s.address), s.file_size - (address - s.address));
  }
  return {};
}

std::optional<std::string_view> ElfImage::text_at(std::uint64_t address, std::size_t limit) const {
  const std::string_view there = at(address).substr(0, limit);
  const std::size_t end = there.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  return there.substr(0, end);
}

ElfImage read_elf_image(std::string_view bytes, const ElfHeader& header) {
  ElfImage out;
  out.bytes = bytes;
  out.header = header;
  Reader(out).run();
  return out;
}

}  // namespace uni
