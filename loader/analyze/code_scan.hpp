// SPDX-License-Identifier: Apache-2.0
// Decodes all machine code of one ELF file once and notes what the call graph needs: where control goes, which
// addresses are taken, where system calls are made.
#pragma once

#include <cstdint>
#include <vector>

#include "loader/analyze/elf_image.hpp"

namespace uni {

struct CodeEvent {
  enum class Kind : std::uint8_t {
    Call,          // call to `target`
    Jump,          // a jump, also a conditional one, to `target`
    CallSlot,      // call through the pointer at `target`
    JumpSlot,      // jump through the pointer at `target`
    CallRegister,  // call of an address that is computed
    JumpRegister,  // jump to an address that is computed: a switch, mostly
    Access,        // memory at `target` is read or written
    Address,       // `target` is put into a register, or is the base of an indexed access
    Syscall,
  };
  std::uint64_t at = 0;
  std::uint64_t target = 0;
  Kind kind = Kind::Call;
};

struct CodeScan {
  std::vector<CodeEvent> events;      // by address
  std::vector<std::uint64_t> starts;  // where functions begin, sorted: unwind table, symbols, call targets
  std::vector<std::uint64_t> falls;   // of those, the ones that the code before them runs into, sorted
};

// Sweeps each code range linearly, restarting at each function that is known beforehand; x86 code finds back into step
// after data. Uses `threads` threads. Never fails: bytes that are no instruction are stepped over.
CodeScan scan_code(const ElfImage& image, unsigned threads);

}  // namespace uni
