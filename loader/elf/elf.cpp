// SPDX-License-Identifier: Apache-2.0
// The checks follow Linux's loader: what it refuses with ENOEXEC is refused here; sizes that could overflow later
// arithmetic are, too.
#include "loader/elf/elf.hpp"

namespace uni::elf {
namespace {

constexpr u64 kAddressLimit = u64{1} << 47;

template <typename T>
T load(Span<const u8> bytes, usize at) {
  T value;
  ASSERT(at + sizeof(T) <= bytes.size());
  __builtin_memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace

Result<Header> parse_header(Span<const u8> b) {
  if (b.size() < kHeaderSize) return Errno::NoExec;
  if (b[0] != 0x7f || b[1] != 'E' || b[2] != 'L' || b[3] != 'F') return Errno::NoExec;
  if (b[4] != 2 || b[5] != 1 || b[6] != 1) return Errno::NoExec;  // ELFCLASS64, little-endian, version 1
  const u16 type = load<u16>(b, 16);
  if (type != 2 && type != 3) return Errno::NoExec;
  if (load<u16>(b, 18) != 62) return Errno::NoExec;  // EM_X86_64
  if (load<u16>(b, 54) != kSegmentSize) return Errno::NoExec;
  Header h{static_cast<Type>(type), load<u64>(b, 24), load<u64>(b, 32), load<u16>(b, 56)};
  if (h.program_header_count == 0 || h.program_header_count > kMaxSegments) return Errno::NoExec;
  if (h.program_header_offset > kAddressLimit || h.entry >= kAddressLimit) return Errno::NoExec;
  return h;
}

Result<Segment> parse_segment(Span<const u8> table, usize n) {
  if (n >= kMaxSegments || (n + 1) * kSegmentSize > table.size()) return Errno::NoExec;
  const Span<const u8> b = table.slice(n * kSegmentSize, kSegmentSize);
  Segment s{load<u32>(b, 0),  load<u32>(b, 4),  load<u64>(b, 8), load<u64>(b, 16),
            load<u64>(b, 32), load<u64>(b, 40), load<u64>(b, 48)};
  if (s.type != kLoad) return s;
  if (s.file_size > s.memory_size) return Errno::NoExec;
  if (s.memory_size > kAddressLimit || s.address > kAddressLimit - s.memory_size) return Errno::NoExec;
  if (s.offset > kAddressLimit || s.file_size > kAddressLimit) return Errno::NoExec;
  if ((s.address & (kPageSize - 1)) != (s.offset & (kPageSize - 1))) return Errno::NoExec;
  return s;
}

}  // namespace uni::elf
