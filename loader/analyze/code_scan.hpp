// SPDX-License-Identifier: Apache-2.0
// Decodes the machine code of one ELF file and finds its system calls.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "loader/analyze/elf_header.hpp"

namespace uni {

struct SyscallSite {
  std::uint64_t address = 0;
  int number = -1;  // -1: not a constant in the same basic block
};

// From an instruction to code that it calls, jumps to or takes the address of.
struct CodeEdge {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  bool is_call = false;
};

struct CodeScan {
  std::vector<SyscallSite> sites;
  std::vector<CodeEdge> edges;  // only where asked for
};

enum class WantEdges { No, Yes };

// Sweeps the executable segments linearly. `bytes` is the whole file. Without edges a file that holds no `syscall`
// instruction (0F 05) costs one search. Never fails: bytes that are no instruction are stepped over.
CodeScan scan_code(std::string_view bytes, const ElfHeader& header, WantEdges edges);

// The starts of functions that .eh_frame_hdr lists (LSB core 10.6.2), also of a stripped file; empty where it is absent
// or not a table of the usual encoding.
std::vector<std::uint64_t> function_starts(std::string_view bytes, const ElfHeader& header);

}  // namespace uni
