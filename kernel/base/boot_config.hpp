// SPDX-License-Identifier: Apache-2.0
// Reads the boot configuration (docs/IMAGE.md): NUL-closed `key=value` records. Bounds-checked, no allocation: values
// are views into the blob. Compiled for guest and host.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"

namespace uni {

enum class BootKey : u8 {
#define BOOT_KEY(name, arity) name,
#include "kernel/base/boot_keys.def"
#undef BOOT_KEY
};

class BootConfig {
 public:
  BootConfig() = default;

  // Gives a view of `blob`, which must outlive it. Errors: Invalid (malformed, unknown or doubled key; bad_key() names
  // it), NotSupported (another version).
  static Result<BootConfig> parse(StringView blob, StringView* bad_key);

  // The value of a key, or `otherwise`.
  StringView get(BootKey key, StringView otherwise = {}) const;
  // The nth (from 0) value of a repeating key; false where there are fewer.
  bool nth(BootKey key, usize n, StringView* value) const;
  usize count(BootKey key) const;

  // Calls visit(value) for each value of `key`, in order.
  template <typename F>
  void each(BootKey key, F visit) const {
    usize at = 0;
    BootKey k{};
    StringView v;
    while (next(&at, &k, &v)) {
      if (k == key) visit(v);
    }
  }

 private:
  explicit BootConfig(StringView blob) : blob_(blob) {}
  bool next(usize* at, BootKey* key, StringView* value) const;
  StringView blob_;
};

// "1234" -> 1234. Errors: Invalid for anything but decimal digits that fit.
Result<u64> parse_decimal(StringView text);

}  // namespace uni
