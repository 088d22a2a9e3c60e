// SPDX-License-Identifier: Apache-2.0
// Writes and reads GPT (UEFI 2.10, 5.3). Refuses on reading what the writer never writes: another revision, entries
// that are not 128 times 128 bytes at sector 2, partitions that overlap the tables.
#include "cli/image/gpt.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace uni::gpt {
namespace {

constexpr std::size_t kEntryCount = 128;
constexpr std::size_t kEntrySize = 128;
constexpr std::size_t kHeaderSize = 92;
constexpr std::uint64_t kEntriesSectors = kEntryCount * kEntrySize / kSector;

std::uint32_t crc32_of(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
}

template <typename T>
void put(std::span<std::uint8_t> out, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <typename T>
T get(std::span<const std::uint8_t> in, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value | (static_cast<T>(in[at + i]) << (8 * i)));
  return value;
}

std::vector<std::uint8_t> encode_entries(const Table& table) {
  std::vector<std::uint8_t> out(kEntryCount * kEntrySize);
  for (std::size_t i = 0; i < table.partitions.size() && i < kEntryCount; ++i) {
    const Partition& p = table.partitions[i];
    const std::span entry(out.data() + i * kEntrySize, kEntrySize);
    std::ranges::copy(p.type, entry.begin());
    std::ranges::copy(p.id, entry.begin() + 16);
    put<std::uint64_t>(entry, 32, p.offset / kSector);
    put<std::uint64_t>(entry, 40, (p.offset + p.size) / kSector - 1);
    for (std::size_t c = 0; c < p.name.size() && c < 36; ++c) {
      put<std::uint16_t>(entry, 56 + 2 * c, static_cast<std::uint8_t>(p.name[c]));
    }
  }
  return out;
}

enum class Which { Primary, Backup };

void encode_header(std::span<std::uint8_t> out, const Table& table, std::span<const std::uint8_t> entries,
                   Which which) {
  const std::uint64_t last = table.disk_size / kSector - 1;
  const bool primary = which == Which::Primary;
  std::memcpy(out.data(), "EFI PART", 8);
  put<std::uint32_t>(out, 8, 0x00010000);
  put<std::uint32_t>(out, 12, kHeaderSize);
  put<std::uint64_t>(out, 24, primary ? 1 : last);
  put<std::uint64_t>(out, 32, primary ? last : 1);
  put<std::uint64_t>(out, 40, kFrontSectors);
  put<std::uint64_t>(out, 48, last - kBackSectors);
  std::ranges::copy(table.disk, out.begin() + 56);
  put<std::uint64_t>(out, 72, primary ? 2 : last - kEntriesSectors);
  put<std::uint32_t>(out, 80, kEntryCount);
  put<std::uint32_t>(out, 84, kEntrySize);
  put<std::uint32_t>(out, 88, crc32_of(entries));
  put<std::uint32_t>(out, 16, crc32_of(out.first(kHeaderSize)));
}

std::unexpected<Diagnostic> bad(std::string why) {
  return fail({.what = "not an image of `uni pack`", .where = {}, .why = std::move(why), .hint = {}});
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Guid guid(std::string_view text) {
  // Where the n-th byte of the text goes: the first three fields are stored little-endian.
  static constexpr std::size_t kOrder[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  Guid out{};
  std::size_t nibble = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) continue;
    if (nibble == 32) return {};
    std::uint8_t& byte = out[kOrder[nibble / 2]];
    byte = static_cast<std::uint8_t>(byte * 16 + digit);
    ++nibble;
  }
  return nibble == 32 ? out : Guid{};
}

Guid guid_from_digest(std::span<const std::uint8_t> digest) {
  Guid out{};
  std::copy_n(digest.begin(), std::min<std::size_t>(digest.size(), out.size()), out.begin());
  out[7] = static_cast<std::uint8_t>((out[7] & 0x0f) | 0x40);
  out[8] = static_cast<std::uint8_t>((out[8] & 0x3f) | 0x80);
  return out;
}

std::vector<std::uint8_t> encode_front(const Table& table) {
  std::vector<std::uint8_t> out(kFrontSectors * kSector);
  // The protective MBR: one partition of type 0xEE over the whole disk (UEFI 2.10, 5.2.3).
  const std::uint64_t sectors = table.disk_size / kSector;
  const std::span mbr(out.data(), kSector);
  mbr[447] = 0x00, mbr[448] = 0x02, mbr[449] = 0x00;
  mbr[450] = 0xee;
  mbr[451] = 0xff, mbr[452] = 0xff, mbr[453] = 0xff;
  put<std::uint32_t>(mbr, 454, 1);
  put<std::uint32_t>(mbr, 458, static_cast<std::uint32_t>(std::min<std::uint64_t>(sectors - 1, 0xffffffff)));
  mbr[510] = 0x55, mbr[511] = 0xaa;
  const auto entries = encode_entries(table);
  std::ranges::copy(entries, out.begin() + 2 * kSector);
  encode_header(std::span(out).subspan(kSector, kSector), table, entries, Which::Primary);
  return out;
}

std::vector<std::uint8_t> encode_back(const Table& table) {
  std::vector<std::uint8_t> out(kBackSectors * kSector);
  const auto entries = encode_entries(table);
  std::ranges::copy(entries, out.begin());
  encode_header(std::span(out).last(kSector), table, entries, Which::Backup);
  return out;
}

Expected<Table> decode_front(std::span<const std::uint8_t> front) {
  if (front.size() < kFrontSectors * kSector) return bad("it is too short for a partition table");
  const auto header = front.subspan(kSector, kSector);
  if (std::memcmp(header.data(), "EFI PART", 8) != 0) return bad("it has no partition table");
  if (get<std::uint32_t>(header, 8) != 0x00010000 || get<std::uint32_t>(header, 12) != kHeaderSize) {
    return bad("its partition table has an unknown revision");
  }
  std::array<std::uint8_t, kHeaderSize> copy{};
  std::copy_n(header.begin(), kHeaderSize, copy.begin());
  put<std::uint32_t>(copy, 16, 0);
  if (crc32_of(copy) != get<std::uint32_t>(header, 16)) return bad("its partition table's checksum is wrong");
  const auto entries = front.subspan(2 * kSector, kEntryCount * kEntrySize);
  if (get<std::uint64_t>(header, 72) != 2 || get<std::uint32_t>(header, 80) != kEntryCount ||
      get<std::uint32_t>(header, 84) != kEntrySize || crc32_of(entries) != get<std::uint32_t>(header, 88)) {
    return bad("its partition entries' checksum is wrong");
  }
  Table table;
  std::copy_n(header.begin() + 56, 16, table.disk.begin());
  const auto last = get<std::uint64_t>(header, 32);
  if (last < kFrontSectors + kBackSectors || last > UINT64_MAX / kSector - 1) return bad("its disk size is wrong");
  table.disk_size = (last + 1) * kSector;
  for (std::size_t i = 0; i < kEntryCount; ++i) {
    const auto entry = entries.subspan(i * kEntrySize, kEntrySize);
    Partition p;
    std::copy_n(entry.begin(), 16, p.type.begin());
    if (p.type == Guid{}) continue;
    std::copy_n(entry.begin() + 16, 16, p.id.begin());
    const auto first_lba = get<std::uint64_t>(entry, 32);
    const auto last_lba = get<std::uint64_t>(entry, 40);
    if (first_lba < kFrontSectors || last_lba < first_lba || last_lba > last - kBackSectors) {
      return bad("a partition lies outside the disk");
    }
    p.offset = first_lba * kSector;
    p.size = (last_lba - first_lba + 1) * kSector;
    for (std::size_t c = 0; c < 36; ++c) {
      const auto unit = get<std::uint16_t>(entry, 56 + 2 * c);
      if (unit == 0) break;
      p.name.push_back(unit < 0x80 ? static_cast<char>(unit) : '?');
    }
    table.partitions.push_back(std::move(p));
  }
  return table;
}

}  // namespace uni::gpt
