// SPDX-License-Identifier: Apache-2.0
// The range of groups that may ping: two numbers, the higher below the lower where nobody may.
#include "kernel/fs/procfs/ping_range.hpp"

#include "kernel/base/boot_config.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs::procfs {

namespace {

constexpr u64 kMost = 0x7fffffff;

// The higher in the upper half, so that both change at once.
std::atomic<u64> g_range{kMost << 32};

StringView next_word(StringView& text) {
  usize start = 0;
  while (start < text.size() && (text[start] == ' ' || text[start] == '\t'))
    ++start;
  usize end = start;
  while (end < text.size() && text[end] != ' ' && text[end] != '\t')
    ++end;
  const StringView word = text.slice(start, end - start);
  text = text.slice(end);
  return word;
}

}  // namespace

bool may_ping() {
  const u64 range = g_range.load(std::memory_order_relaxed);
  const auto within = [&](u32 group) { return group >= static_cast<u32>(range) && group <= range >> 32; };
  const Credentials& who = Process::current().credentials;
  if (within(who.egid)) return true;
  for (u32 group : who.groups) {
    if (within(group)) return true;
  }
  return false;
}

Result<void> show_ping_range(Writer& out, const Numbers&) {
  const u64 range = g_range.load(std::memory_order_relaxed);
  format(out, "{}\t{}\n", range & kMost, range >> 32);
  return {};
}

Result<void> store_ping_range(StringView text, const Numbers&) {
  const u64 low = TRY(parse_decimal(next_word(text)));
  const u64 high = TRY(parse_decimal(next_word(text)));
  if (low > kMost || high > kMost) return Errno::Invalid;
  // Nobody: shown as Linux shows it (ipv4_ping_group_range).
  g_range.store(high < low ? u64{1} : high << 32 | low, std::memory_order_relaxed);
  return {};
}

}  // namespace uni::fs::procfs
