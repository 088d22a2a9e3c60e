// SPDX-License-Identifier: Apache-2.0
// The cache format is that of glibc's sysdeps/generic/dl-cache.h, "new" format: a 48-byte header, 24-byte entries, then
// strings at offsets from the header. Offsets beyond the file drop the entry.
#include "loader/analyze/ld_cache.hpp"

#include <glob.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

#include "loader/analyze/file.hpp"

namespace uni {
namespace {

constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kOldHeader = 16;
constexpr std::size_t kOldEntry = 12;
constexpr std::size_t kHeader = 48;
constexpr std::size_t kEntry = 24;
constexpr std::uint32_t kFlagsLibc6X86_64 = 0x0303;  // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6

template <typename T>
T get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string_view string_at(std::string_view bytes, std::size_t at) {
  if (at >= bytes.size()) return {};
  const std::string_view rest = bytes.substr(at);
  const std::size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The order of the cache: like strcmp, but runs of digits compare as numbers and sort after other characters
// (_dl_cache_libcmp in glibc's elf/dl-cache.c).
int compare_names(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size()) {
    const char c = a[i];
    const char d = j < b.size() ? b[j] : '\0';
    if (is_digit(c)) {
      if (!is_digit(d)) return 1;
      std::uint64_t x = 0;
      std::uint64_t y = 0;
      while (i < a.size() && is_digit(a[i]))
        x = x * 10 + static_cast<std::uint64_t>(a[i++] - '0');
      while (j < b.size() && is_digit(b[j]))
        y = y * 10 + static_cast<std::uint64_t>(b[j++] - '0');
      if (x != y) return x < y ? -1 : 1;
    } else if (is_digit(d)) {
      return -1;
    } else if (c != d) {
      return static_cast<signed char>(c) < static_cast<signed char>(d) ? -1 : 1;
    } else {
      ++i, ++j;
    }
  }
  return j < b.size() ? -1 : 0;
}

void read_conf_file(const Sysroot& sysroot, const std::string& guest, std::vector<std::string>& dirs,
                    std::set<std::string>& seen) {
  if (!seen.insert(guest).second) return;
  const auto where = sysroot.resolve(guest);
  if (!where) return;
  const auto text = read_text(where->host, 1U << 20);
  if (!text) return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) continue;
    if (word == "include") {
      while (words >> word) {
        if (!word.starts_with('/')) word = normalise(guest + "/../" + word);
        glob_t found{};
        // Sorted by glob(3), as ldconfig reads them.
        if (::glob(sysroot.host_path(word).c_str(), 0, nullptr, &found) == 0) {
          const std::string root = sysroot.host_path("/").string();
          for (std::size_t i = 0; i < found.gl_pathc; ++i) {
            std::string path = found.gl_pathv[i];
            read_conf_file(sysroot, normalise(path.substr(root.size())), dirs, seen);
          }
        }
        ::globfree(&found);
      }
    } else if (word.starts_with('/')) {
      // "dir=TYPE" is an old form; the type has no meaning any more.
      word = normalise(word.substr(0, word.find('=')));
      if (std::ranges::find(dirs, word) == dirs.end()) dirs.push_back(word);
    }
  }
}

}  // namespace

std::vector<CacheEntry> parse_ld_cache(std::string_view bytes) {
  if (bytes.starts_with(kOldMagic) && bytes.size() >= kOldHeader) {
    // The new format follows the old entries, 8-byte aligned (ALIGN_CACHE).
    const std::size_t end = kOldHeader + std::size_t{get<std::uint32_t>(bytes, 12)} * kOldEntry;
    bytes.remove_prefix(std::min((end + 7) & ~std::size_t{7}, bytes.size()));
  }
  if (!bytes.starts_with(kMagic) || bytes.size() < kHeader) return {};
  const std::size_t count = get<std::uint32_t>(bytes, 20);
  std::vector<CacheEntry> entries;
  for (std::size_t i = 0; i < count && (i + 1) * kEntry <= bytes.size() - kHeader; ++i) {
    const std::string_view entry = bytes.substr(kHeader + i * kEntry, kEntry);
    if (get<std::uint32_t>(entry, 0) != kFlagsLibc6X86_64 || get<std::uint64_t>(entry, 16) != 0) continue;
    const auto name = string_at(bytes, get<std::uint32_t>(entry, 4));
    const auto path = string_at(bytes, get<std::uint32_t>(entry, 8));
    if (!name.empty() && path.starts_with('/')) entries.push_back({std::string(name), std::string(path)});
  }
  return entries;
}

std::string make_ld_cache(std::vector<CacheEntry> entries) {
  // Descending, which is what the search expects.
  std::ranges::stable_sort(entries, [](const auto& a, const auto& b) { return compare_names(a.name, b.name) > 0; });
  std::string strings;
  std::map<std::string, std::uint32_t> offsets;
  const std::size_t base = kHeader + entries.size() * kEntry;
  const auto offset = [&](const std::string& text) {
    const auto [it, fresh] = offsets.try_emplace(text, static_cast<std::uint32_t>(base + strings.size()));
    if (fresh) strings.append(text).push_back('\0');
    return it->second;
  };
  std::string table;
  for (const CacheEntry& e : entries) {
    put<std::uint32_t>(table, kFlagsLibc6X86_64);
    put<std::uint32_t>(table, offset(e.name));
    put<std::uint32_t>(table, offset(e.path));
    put<std::uint32_t>(table, 0);
    put<std::uint64_t>(table, 0);
  }
  std::string out(kMagic);
  put(out, static_cast<std::uint32_t>(entries.size()));
  put(out, static_cast<std::uint32_t>(strings.size()));
  put<std::uint32_t>(out, 2);  // little-endian (cache_file_new_flags_endian_little), three bytes of padding
  out.resize(kHeader, '\0');
  return out + table + strings;
}

std::vector<std::string> read_ld_conf(const Sysroot& sysroot) {
  std::vector<std::string> dirs;
  std::set<std::string> seen;
  read_conf_file(sysroot, "/etc/ld.so.conf", dirs, seen);
  return dirs;
}

}  // namespace uni
