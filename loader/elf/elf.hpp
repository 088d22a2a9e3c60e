// SPDX-License-Identifier: Apache-2.0
// ELF64 reader (System V ABI, chapter 4 and 5; x86-64 psABI). Every read is bounds-checked; nothing is allocated.
// Compiled for guest and host.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::elf {

enum class Type : u16 { kExecutable = 2, kShared = 3 };

struct Header {
  Type type;
  u64 entry;
  u64 program_header_offset;
  u16 program_header_count;
};

enum SegmentType : u32 { kLoad = 1, kDynamic = 2, kInterpreter = 3, kNote = 4, kTls = 7, kGnuStack = 0x6474e551 };
enum SegmentFlag : u32 { kExecute = 1, kWrite = 2, kRead = 4 };

struct Segment {
  u32 type;
  u32 flags;
  u64 offset, address, file_size, memory_size, alignment;
};

inline constexpr usize kHeaderSize = 64;
inline constexpr usize kSegmentSize = 56;
inline constexpr usize kMaxSegments = 128;

// Reads the file header from the file's first bytes. Errors: NoExec (not ELF64 little-endian x86-64, not executable,
// absurd table).
Result<Header> parse_header(Span<const u8> start);
// Reads the nth entry of the program header table, given as the table's bytes. Errors: NoExec (outside, sizes that
// overflow or exceed, misaligned load segment).
Result<Segment> parse_segment(Span<const u8> table, usize n);

}  // namespace uni::elf
