// SPDX-License-Identifier: Apache-2.0
// The partition table of an image: GPT (UEFI 2.10 chapter 5) with 512-byte sectors and three partitions with fixed
// names (docs/IMAGE.md). No file access here; the writer and the reader move the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni::gpt {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kAlign = std::uint64_t{1} << 20;
// Protective MBR, header and 128 entries at the front; entries and header again at the end (UEFI 2.10, 5.3.1).
constexpr std::uint64_t kFrontSectors = 34;
constexpr std::uint64_t kBackSectors = 33;

// A GUID as its 16 bytes on disk: the first three fields are little-endian.
using Guid = std::array<std::uint8_t, 16>;
// `text` is the usual form 8-4-4-4-12; only for constants of ours, a malformed one gives zeros.
Guid guid(std::string_view text);
// A version 4 style GUID made of the first 16 bytes of a digest.
Guid guid_from_digest(std::span<const std::uint8_t> digest);

struct Partition {
  std::string name;
  Guid type{};
  Guid id{};
  std::uint64_t offset = 0;  // bytes, a multiple of kSector
  std::uint64_t size = 0;    // bytes, a multiple of kSector
};

struct Table {
  Guid disk{};
  std::uint64_t disk_size = 0;  // bytes, a multiple of kSector
  std::vector<Partition> partitions;
};

// The first kFrontSectors and the last kBackSectors sectors of a disk with this table.
std::vector<std::uint8_t> encode_front(const Table& table);
std::vector<std::uint8_t> encode_back(const Table& table);

// Reads a table from the disk's first kFrontSectors sectors. Fails (kBadInput) where it is not GPT, a checksum is wrong
// or a partition does not lie on the disk. `disk_size` in the result is what the header says, not the file's.
Expected<Table> decode_front(std::span<const std::uint8_t> front);

}  // namespace uni::gpt
