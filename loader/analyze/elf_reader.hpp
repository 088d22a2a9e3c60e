// SPDX-License-Identifier: Apache-2.0
// What the closure needs to know of an ELF file. The dynamic section and the symbols are parsed by LIEF, in a child
// process with limits: LIEF 0.9 throws, and may crash or loop, on hostile files, and that must stay the child's.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/elf_header.hpp"

namespace uni {

struct DynamicSymbol {
  std::string name;
  std::uint64_t address = 0;  // 0 for an import
  std::uint64_t size = 0;
};

struct ElfFacts {
  ElfHeader header;
  std::vector<std::string> needed;  // DT_NEEDED, in order
  std::string rpath;                // DT_RPATH, empty where there is none
  std::string runpath;              // DT_RUNPATH
  bool has_runpath = false;         // an empty DT_RUNPATH still switches DT_RPATH off
  std::string soname;
  bool no_default_libs = false;        // DF_1_NODEFLIB
  std::vector<std::string> imports;    // undefined dynamic symbols, sorted
  std::vector<DynamicSymbol> exports;  // defined dynamic functions
};

// Starts the child on the first read and reuses it for all others. Not thread-safe.
class ElfReader {
 public:
  ElfReader() = default;
  ~ElfReader();
  ElfReader(const ElfReader&) = delete;
  ElfReader& operator=(const ElfReader&) = delete;

  // Reads one file. Fails (kBadInput) as read_elf_header does, and where the child could not parse the file, which
  // includes that it crashed or took longer than 30 seconds. Blocks until the answer is there.
  Expected<ElfFacts> read(const std::filesystem::path& path);

 private:
  Expected<void> start();
  void stop();
  pid_t child_ = -1;
  int socket_ = -1;
};

}  // namespace uni
