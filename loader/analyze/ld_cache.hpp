// SPDX-License-Identifier: Apache-2.0
// glibc's ld.so.cache, read from the source system and written for the image, and ld.so.conf (ldconfig(8)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/sysroot.hpp"

namespace uni {

struct CacheEntry {
  std::string name;  // "libc.so.6"
  std::string path;  // "/lib/x86_64-linux-gnu/libc.so.6"
};

// The x86-64 libc6 entries without hardware capabilities, in the file's order. Bytes that are not the format
// "glibc-ld.so.cache1.1", alone or behind the old one, give an empty list, as ld.so ignores such a file.
std::vector<CacheEntry> parse_ld_cache(std::string_view bytes);

// A cache with these entries, in the order that ld.so's binary search needs.
std::string make_ld_cache(std::vector<CacheEntry> entries);

// The directories that `/etc/ld.so.conf` names, its `include` lines followed, in order, without duplicates.
std::vector<std::string> read_ld_conf(const Sysroot& sysroot);

}  // namespace uni
