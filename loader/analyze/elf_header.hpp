// SPDX-License-Identifier: Apache-2.0
// The first look at a file that should be an ELF program: bounds-checked reads of the header and the program headers,
// in our own process, so that a hostile file is refused with a clear reason before a library parses it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/file.hpp"

namespace uni {

// A PT_LOAD segment's place in the file and in memory.
struct LoadSegment {
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t file_size = 0;
  std::uint64_t memory_size = 0;
  unsigned flags = 0;  // PF_R, PF_W, PF_X
};

struct ElfHeader {
  bool position_independent = false;  // ET_DYN
  bool dynamic = false;               // has PT_DYNAMIC
  std::uint64_t entry = 0;
  std::string interpreter;  // PT_INTERP, empty where there is none
  std::vector<LoadSegment> segments;
  std::uint64_t eh_frame_hdr = 0;       // PT_GNU_EH_FRAME's address, 0 where there is none
  std::uint64_t eh_frame_hdr_size = 0;  // bytes

  // The file offset of `size` bytes at a memory address; -1 where the file does not hold them.
  std::int64_t offset_of(std::uint64_t address, std::uint64_t size) const;
};

// Checks that the file is a 64-bit little-endian x86-64 ELF executable or shared object whose header, program headers,
// segments and interpreter string lie inside the file. Fails (kBadInput) with the first thing that does not hold.
Expected<ElfHeader> read_elf_header(const InputFile& file);

// Whether ld.so would skip this file quietly during its search because it is made for another class or machine
// (ld.so(8); glibc's open_verify goes on searching, it does not stop).
bool is_foreign_elf(const InputFile& file);

}  // namespace uni
