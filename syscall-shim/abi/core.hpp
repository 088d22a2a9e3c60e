// SPDX-License-Identifier: Apache-2.0
// What stands in the notes of a core file, x86-64 layout (include/uapi/linux/elfcore.h).
#pragma once

#include "syscall-shim/abi/time.hpp"
#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

enum NoteType : u32 {
  kNotePrStatus = 1,
  kNoteFpRegSet = 2,
  kNotePrPsInfo = 3,
  kNoteAuxv = 6,
  kNoteX86Xstate = 0x202,
  kNoteFile = 0x46494c45,
  kNoteSigInfo = 0x53494749,
};

struct PrStatus {  // struct elf_prstatus
  i32 signal, code, error;
  i16 current_signal;
  u16 pad0;
  u64 pending, blocked;
  i32 pid, parent, group, session;
  Timeval user, system, children_user, children_system;
  u64 registers[27];
  i32 float_valid;
  u32 pad1;
};
static_assert(sizeof(PrStatus) == 336);

struct PrPsInfo {  // struct elf_prpsinfo
  u8 state;
  char state_name;
  u8 zombie;
  u8 nice;
  u32 pad;
  u64 flags;
  u32 uid, gid;
  i32 pid, parent, group, session;
  char name[16];
  char arguments[80];
};
static_assert(sizeof(PrPsInfo) == 136);

struct NoteHeader {  // Elf64_Nhdr
  u32 name_size, content_size, type;
};

struct CoreElfHeader {  // Elf64_Ehdr
  u8 ident[16];
  u16 type, machine;
  u32 version;
  u64 entry, program_headers, section_headers;
  u32 flags;
  u16 header_size, program_header_size, program_header_count, section_header_size, section_header_count, names;
};
static_assert(sizeof(CoreElfHeader) == 64);

struct CoreProgramHeader {  // Elf64_Phdr
  u32 type, flags;
  u64 offset, address, physical, file_size, memory_size, align;
};
static_assert(sizeof(CoreProgramHeader) == 56);

}  // namespace uni::abi
