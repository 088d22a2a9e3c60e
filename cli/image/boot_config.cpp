// SPDX-License-Identifier: Apache-2.0
// Encodes and decodes the boot configuration. Both directions go through the same check, so what is written can be
// read, and the guest (which is as strict) takes it.
#include "cli/image/boot_config.hpp"

#include <algorithm>
#include <set>

namespace uni {
namespace {

enum class Repeats { Once, Many };

struct Key {
  std::string_view name;
  Repeats repeats;
};

constexpr Key kKeys[] = {
#define BOOT_KEY(name, repeats) {#name, Repeats::repeats},
#include "kernel/base/boot_keys.def"
#undef BOOT_KEY
};

std::unexpected<Diagnostic> bad(std::string what, std::string why) {
  return fail({.what = std::move(what), .where = {}, .why = std::move(why), .hint = {}});
}

Expected<void> check(const std::vector<BootRecord>& records) {
  std::set<std::string_view> seen;
  for (const BootRecord& r : records) {
    if (r.key.starts_with("x-")) continue;
    const auto* known = std::ranges::find(kKeys, std::string_view(r.key), &Key::name);
    if (known == std::end(kKeys)) return bad("unknown boot configuration key", "`" + r.key + "`");
    const bool first = seen.insert(r.key).second;
    if (!first && known->repeats == Repeats::Once) return bad("boot configuration key given twice", "`" + r.key + "`");
  }
  return {};
}

}  // namespace

void BootConfig::set(std::string_view key, std::string_view value) {
  const auto first = std::ranges::find(records_, key, &BootRecord::key);
  if (first == records_.end()) return add(key, value);
  first->value = value;
  records_.erase(std::remove_if(first + 1, records_.end(), [&](const BootRecord& r) { return r.key == key; }),
                 records_.end());
}

void BootConfig::remove(std::string_view key) {
  std::erase_if(records_, [&](const BootRecord& r) { return r.key == key; });
}

void BootConfig::set_env(std::string_view assignment) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  for (BootRecord& r : records_) {
    if (r.key == "env" && std::string_view(r.value).substr(0, r.value.find('=')) == name) {
      r.value = assignment;
      return;
    }
  }
  add("env", assignment);
}

std::optional<std::string_view> BootConfig::get(std::string_view key) const {
  const auto found = std::ranges::find(records_, key, &BootRecord::key);
  if (found == records_.end()) return std::nullopt;
  return found->value;
}

std::vector<std::string_view> BootConfig::all(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const BootRecord& r : records_) {
    if (r.key == key) values.push_back(r.value);
  }
  return values;
}

Expected<std::string> BootConfig::encode() const {
  if (auto ok = check(records_); !ok) return std::unexpected(ok.error());
  std::string bytes;
  for (const BootRecord& r : records_) {
    if (r.key.find('=') != std::string::npos || r.key.find('\0') != std::string::npos ||
        r.value.find('\0') != std::string::npos) {
      return bad("a value holds a NUL byte", "`" + r.key + "`");
    }
    bytes.append(r.key).append("=").append(r.value).push_back('\0');
  }
  bytes.push_back('\0');
  if (bytes.size() > kBootConfigLimit) {
    return bad("arguments and environment are too large", std::to_string(bytes.size()) + " bytes, at most 1 MiB fit");
  }
  return bytes;
}

Expected<BootConfig> BootConfig::decode(std::string_view bytes) {
  BootConfig config;
  for (;;) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos) return bad("damaged boot configuration", "it has no end");
    const std::string_view record = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (record.empty()) break;
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return bad("damaged boot configuration", "a record without `=`");
    config.add(record.substr(0, equals), record.substr(equals + 1));
  }
  if (auto ok = check(config.records_); !ok) return std::unexpected(ok.error());
  return config;
}

}  // namespace uni
