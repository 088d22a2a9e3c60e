// SPDX-License-Identifier: Apache-2.0
// Making a file system by its type's name and options, for mount(2) and fsopen(2).
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::shim {

// MS_* that are the file system's, for all its mounts, and not one mount's (mount(2)).
inline constexpr u32 kSuperFlags = 1 | 16 | 64 | 128 | 1 << 25;

// What is known of a file system before there is one.
struct NewFs {
  StringView type;  // of the kernel's own table
  String source;
  u32 super_flags = 0;
  u64 size = 0;  // 0: the default
  u32 mode = 01777, uid = 0, gid = 0;
};

// The table's name for a type. Errors: NoDevice.
Result<StringView> known_type(StringView name);
// Sets one option. `has_value`: "key=value", else "key". Errors: Invalid (its value), NoEntry (no such option),
// NoMemory.
enum class HasValue : u8 { kNo, kYes };
Result<void> set_option(NewFs& fs, StringView key, StringView value, HasValue has_value);
// Sets options that are separated by commas. Errors: Invalid, NoMemory.
Result<void> set_options(NewFs& fs, StringView options);
// Errors: NotBlock (a type that needs a device), NoMemory.
Result<RefPtr<fs::FileSystem>> create(const NewFs& fs);
// Changes a file system that is mounted (MS_REMOUNT, fspick(2)). Errors: Invalid, ReadOnlyFs, Busy (read-only, while
// files are open for writing), NoMemory.
Result<void> reconfigure(fs::FileSystem& system, const NewFs& wanted);

}  // namespace uni::shim
