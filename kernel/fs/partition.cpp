// SPDX-License-Identifier: Apache-2.0
// Reads the primary table only: sector 1 for the header and the first 32 KiB of entries. Every field is checked against
// the device before use.
#include "kernel/fs/partition.hpp"

#include "kernel/mm/page.hpp"

namespace uni::fs {
namespace {

constexpr u64 kSector = 512;

struct Header {
  char signature[8];
  u32 revision, size, checksum, reserved;
  u64 this_lba, other_lba, first_usable, last_usable;
  u8 guid[16];
  u64 entries_lba;
  u32 entry_count, entry_size, entries_checksum;
};
static_assert(offsetof(Header, entries_lba) == 72);

struct Entry {
  u8 type[16];
  u8 id[16];
  u64 first_lba, last_lba, attributes;
  u16 name[36];
};
static_assert(sizeof(Entry) == 128);

bool named(const Entry& entry, StringView name) {
  if (name.size() > 36) return false;
  for (usize i = 0; i < 36; ++i) {
    if (entry.name[i] != (i < name.size() ? static_cast<u8>(name[i]) : 0)) return false;
  }
  return true;
}

}  // namespace

Result<Partition> find_partition(dev::BlockDevice& device, StringView name) {
  if (device.size() < 3 * kSector) return Errno::Invalid;
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  ScopeGuard free_page([&] { mm::put_page(*page); });
  u8* data = static_cast<u8*>(mm::address_of(*page));

  // The usual table has its entries behind the header: one request brings both.
  const u64 first = min<u64>(kPageSize, align_down(device.size() - kSector, kSector));
  dev::BlockSegment segment{data, first};
  TRY(device.read(kSector, {&segment, 1}));
  Header header;
  __builtin_memcpy(&header, data, sizeof header);
  if (__builtin_memcmp(header.signature, "EFI PART", 8) != 0 || header.entry_size < sizeof(Entry) ||
      header.entry_size > kPageSize || header.entry_size % sizeof(Entry) != 0 || header.entry_count > 1024)
    return Errno::Invalid;
  const u64 sectors = device.size() / kSector;
  if (header.entries_lba < 2 || header.entries_lba >= sectors) return Errno::Invalid;

  u64 loaded = 1, loaded_end = 1 + first / kSector;  // sectors in `data`
  for (u32 i = 0; i < header.entry_count; ++i) {
    const u64 at = header.entries_lba * kSector + u64{i} * header.entry_size;
    const u64 sector = at / kSector, end = (at + sizeof(Entry) + kSector - 1) / kSector;
    if (end > sectors) return Errno::Invalid;
    if (sector < loaded || end > loaded_end) {
      loaded = sector;
      loaded_end = min(sectors, sector + kPageSize / kSector);
      segment = {data, (loaded_end - loaded) * kSector};
      TRY(device.read(loaded * kSector, {&segment, 1}));
    }
    Entry entry;
    __builtin_memcpy(&entry, data + (at - loaded * kSector), sizeof entry);
    if (entry.first_lba == 0 || !named(entry, name)) continue;
    if (entry.first_lba > entry.last_lba || entry.last_lba >= sectors) return Errno::Invalid;
    return Partition{entry.first_lba * kSector, (entry.last_lba - entry.first_lba + 1) * kSector};
  }
  return Errno::NoEntry;
}

}  // namespace uni::fs
