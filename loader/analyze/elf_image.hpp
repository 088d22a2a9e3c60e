// SPDX-License-Identifier: Apache-2.0
// What the search for system calls reads of an ELF file: code, symbols, relocations, where functions begin. Straight
// from the bytes, in time linear to them; every read is bounds-checked, what lies outside of the file is left out.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/elf_header.hpp"

namespace uni {

struct AddressRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool holds(std::uint64_t address) const { return address >= begin && address < end; }
};

struct ImageSymbol {
  std::string_view name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  bool function = false;
  bool defined = false;
};

struct ImageRelocation {
  std::uint64_t where = 0;
  unsigned type = 0;    // R_X86_64_*
  unsigned symbol = 0;  // index in ElfImage::dynamic
  std::int64_t addend = 0;
};

// The linker's stubs for calls of other objects' functions.
struct StubRange {
  AddressRange range;
  std::uint64_t size = 0;  // of one stub
};

struct ElfImage {
  std::string_view bytes;
  ElfHeader header;
  std::vector<AddressRange> code;  // sections that are executed, or the executable segments where none are listed
  std::vector<StubRange> stubs;    // .plt and its like
  std::vector<AddressRange> got;   // pointers that stand for themselves, each used by its address
  std::vector<std::uint64_t> data_starts;    // of sections that hold data
  std::vector<ImageSymbol> dynamic;          // .dynsym, the null symbol included
  std::vector<ImageSymbol> local;            // functions of .symtab or of Go's table, for their names and starts
  std::vector<ImageRelocation> relocations;  // by address
  std::vector<AddressRange> unwound;         // functions that .eh_frame_hdr lists (LSB core 10.6.2), sorted
  std::vector<std::uint64_t> initial;        // what runs unasked: DT_INIT, DT_FINI and their arrays
  bool go = false;                           // made by Go's linker, which has left out what cannot be reached

  bool is_code(std::uint64_t address) const;
  bool is_got(std::uint64_t address) const;
  // Whether an address lies in the memory of a segment.
  bool is_mapped(std::uint64_t address) const;
  // The file's bytes from an address to the end of its segment; empty where it has none.
  std::string_view at(std::uint64_t address) const;
  // The string at an address, without its NUL; nothing where it has none within `limit` bytes.
  std::optional<std::string_view> text_at(std::uint64_t address, std::size_t limit = 256) const;
  template <typename T>
  std::optional<T> read(std::uint64_t address) const {
    const std::string_view there = at(address);
    if (there.size() < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, there.data(), sizeof value);
    return value;
  }
};

// `bytes` must outlive the image. Never fails: of a damaged file less is found.
ElfImage read_elf_image(std::string_view bytes, const ElfHeader& header);

}  // namespace uni
