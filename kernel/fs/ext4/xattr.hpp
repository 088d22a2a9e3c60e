// SPDX-License-Identifier: Apache-2.0
// Extended attributes as a list in memory: read from an inode and its attribute block, changed, written back.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/ext4/layout.hpp"

namespace uni::fs::ext4 {

// A name is stored as the number of its prefix ("user.") and the rest.
struct XattrName {
  u8 index = 0;
  StringView rest;
};
Result<XattrName> split_name(StringView name);  // NotSupported for prefixes without a number
StringView prefix_of(u8 index);                 // empty where there is none

// Entries somewhere in memory: `base` is what value offsets count from.
struct XattrArea {
  u8* first = nullptr;  // the first entry
  u8* base = nullptr;
  u8* end = nullptr;
};

// Calls visit(entry, name, value) for each entry; it gives true to stop. False: the area is damaged.
template <typename Visit>
bool each_xattr(const XattrArea& area, Visit visit) {
  u8* at = area.first;
  while (at + 4 <= area.end) {
    u32 mark;
    __builtin_memcpy(&mark, at, 4);
    if (mark == 0) return true;
    auto& e = *reinterpret_cast<XattrEntry*>(at);
    const usize bytes = (sizeof(XattrEntry) + e.name_length + 3) & ~usize{3};
    if (bytes > static_cast<usize>(area.end - at) || e.value_inode != 0) return false;
    const usize room = static_cast<usize>(area.end - area.base);
    if (e.value_size != 0 && (e.value_offset > room || e.value_size > room - e.value_offset)) return false;
    const StringView name(reinterpret_cast<const char*>(&e + 1), e.name_length);
    const Span<const char> value(reinterpret_cast<const char*>(area.base) + (e.value_size != 0 ? e.value_offset : 0),
                                 e.value_size);
    if (visit(e, name, value)) return true;
    at += bytes;
  }
  return true;
}

}  // namespace uni::fs::ext4
