// SPDX-License-Identifier: Apache-2.0
// The guest's reader of the boot configuration. It trusts nothing: a record without an end, `=` or a known key is
// refused at parse time, so the accessors can assume a well-formed blob.
#include "kernel/base/boot_config.hpp"

namespace uni {
namespace {

struct KeyInfo {
  StringView name;
  bool many;
};

constexpr bool Once = false;
constexpr bool Many = true;
constexpr KeyInfo kKeys[] = {
#define BOOT_KEY(name, arity) {#name, arity},
#include "kernel/base/boot_keys.def"
#undef BOOT_KEY
};
constexpr usize kKeyCount = sizeof kKeys / sizeof kKeys[0];

bool find_key(StringView name, BootKey* out) {
  for (usize i = 0; i < kKeyCount; ++i) {
    if (kKeys[i].name == name) {
      *out = static_cast<BootKey>(i);
      return true;
    }
  }
  return false;
}

}  // namespace

Result<BootConfig> BootConfig::parse(StringView blob, StringView* bad_key) {
  static_assert(kKeyCount <= 64);
  u64 seen = 0;
  usize at = 0;
  *bad_key = {};
  while (true) {
    const usize end = blob.find('\0', at);
    if (end == StringView::kNotFound) return Errno::Invalid;
    if (end == at) break;
    const StringView record = blob.slice(at, end - at);
    const usize equals = record.find('=');
    *bad_key = equals == StringView::kNotFound ? record : record.slice(0, equals);
    if (equals == StringView::kNotFound) return Errno::Invalid;
    at = end + 1;
    if (bad_key->starts_with("x-")) continue;
    BootKey key{};
    if (!find_key(*bad_key, &key)) return Errno::Invalid;
    const u64 bit = u64{1} << static_cast<u8>(key);
    if ((seen & bit) != 0 && !kKeys[static_cast<u8>(key)].many) return Errno::Invalid;
    seen |= bit;
    if (key == BootKey::version && !(record.slice(equals + 1) == "1")) return Errno::NotSupported;
  }
  *bad_key = {};
  return BootConfig(blob.slice(0, at));
}

bool BootConfig::next(usize* at, BootKey* key, StringView* value) const {
  while (*at < blob_.size()) {
    const usize end = blob_.find('\0', *at);
    const StringView record = blob_.slice(*at, end - *at);
    *at = end + 1;
    const usize equals = record.find('=');
    if (!find_key(record.slice(0, equals), key)) continue;
    *value = record.slice(equals + 1);
    return true;
  }
  return false;
}

StringView BootConfig::get(BootKey key, StringView otherwise) const {
  StringView v;
  return nth(key, 0, &v) ? v : otherwise;
}

bool BootConfig::nth(BootKey key, usize n, StringView* value) const {
  usize at = 0;
  BootKey k{};
  while (next(&at, &k, value)) {
    if (k == key && n-- == 0) return true;
  }
  return false;
}

usize BootConfig::count(BootKey key) const {
  usize n = 0;
  each(key, [&n](StringView) { ++n; });
  return n;
}

Result<u64> parse_decimal(StringView text) {
  if (text.empty()) return Errno::Invalid;
  u64 value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return Errno::Invalid;
    if (__builtin_mul_overflow(value, u64{10}, &value)) return Errno::Invalid;
    if (__builtin_add_overflow(value, static_cast<u64>(c - '0'), &value)) return Errno::Invalid;
  }
  return value;
}

}  // namespace uni
