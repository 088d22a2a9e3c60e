// SPDX-License-Identifier: Apache-2.0
// Core files: their pattern, and each process's choice of memory (/proc/PID/coredump_filter).
#include "kernel/fs/procfs/core_pattern.hpp"

#include "kernel/boot/machine_name.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::procfs {
namespace {

constexpr usize kMostPattern = 127;
constexpr StringView kFirst = "core";

struct Pattern {
  char text[kMostPattern + 1] = "core";
  usize size = kFirst.size();
  bool uses_pid = false;
};
Guarded<Pattern, Rank::kLeaf> g_pattern;

Pattern current() {
  return g_pattern.with([](const Pattern& p) { return p; });
}

// A name that stands within a path component.
void write_name(Writer& out, StringView text) {
  for (usize i = 0; i < text.size(); ++i)
    out.write(text[i] == '/' ? StringView("!") : text.slice(i, 1));
}

StringView base_name(StringView path) {
  usize from = 0;
  for (usize i = 0; i < path.size(); ++i) {
    if (path[i] == '/') from = i + 1;
  }
  return path.slice(from);
}

void write_field(Writer& out, char field, int signal) {
  const Process& p = Process::current();
  const Thread& t = Thread::current();
  switch (field) {
    case '%':
      return out.write("%");
    case 'p':
    case 'P':
      return format(out, "{}", raw(p.pid()));
    case 'i':
    case 'I':
      return format(out, "{}", raw(t.tid()));
    case 'u':
      return format(out, "{}", p.credentials.uid);
    case 'g':
      return format(out, "{}", p.credentials.gid);
    case 'd':
      return format(out, "{}", p.dumpable);
    case 's':
      return format(out, "{}", signal);
    case 't':
      return format(out, "{}", time::realtime_ns() / time::kSecond);
    case 'h':
      return write_name(out, StringView(boot::machine_name(boot::NameOf::kHost).text));
    case 'e':
      return write_name(out, StringView(t.name));
    case 'f':
      return write_name(out, base_name(p.executable.view()));
    case 'E':
      return write_name(out, p.executable.view());
    case 'c':
      return format(out, "{}", p.limits[kLimitCore].soft);
    default:
      return;  // an unknown field is dropped, as on Linux
  }
}

}  // namespace

bool core_goes_to_program() {
  return current().text[0] == '|';
}

Result<void> write_core_name(Writer& out, int signal) {
  const Pattern p = current();
  bool named_pid = false;
  for (usize i = 0; i < p.size; ++i) {
    if (p.text[i] != '%') {
      out.write({p.text + i, 1});
      continue;
    }
    if (++i == p.size) break;
    named_pid = named_pid || p.text[i] == 'p';
    write_field(out, p.text[i], signal);
  }
  if (p.uses_pid && !named_pid) format(out, ".{}", raw(Process::current().pid()));
  return {};
}

Result<void> show_core_pattern(Writer& out, const Numbers&) {
  const Pattern p = current();
  format(out, "{}\n", StringView(p.text, p.size));
  return {};
}

Result<void> store_core_pattern(StringView text, const Numbers&) {
  if (text.size() > kMostPattern) return Errno::Invalid;
  g_pattern.with([&](Pattern& p) {
    __builtin_memcpy(p.text, text.data(), text.size());
    p.text[text.size()] = '\0';
    p.size = text.size();
  });
  return {};
}

Result<void> show_core_uses_pid(Writer& out, const Numbers&) {
  format(out, "{}\n", current().uses_pid ? 1 : 0);
  return {};
}

Result<void> store_core_uses_pid(StringView text, const Numbers&) {
  if (text != "0"_sv && text != "1"_sv) return Errno::Invalid;
  g_pattern.with([&](Pattern& p) { p.uses_pid = text == "1"_sv; });
  return {};
}

Result<void> show_core_filter(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  format(out, "{:08x}\n", process->core_filter);
  return {};
}

// A number as C writes it: 0x for base 16, 0 for base 8.
Result<void> store_core_filter(StringView text, const Numbers& numbers) {
  constexpr u32 kKnown = 0x1ff;
  auto process = TRY(process_of(numbers));
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const u64 base = hex ? 16 : text.starts_with("0") ? 8 : 10;
  const StringView digits = text.slice(hex ? 2 : 0);
  if (digits.empty() || digits.size() > 11) return Errno::Invalid;
  u64 value = 0;
  for (const char c : digits) {
    const u64 digit = c >= '0' && c <= '9'   ? static_cast<u64>(c - '0')
                      : c >= 'a' && c <= 'f' ? static_cast<u64>(c - 'a') + 10
                      : c >= 'A' && c <= 'F' ? static_cast<u64>(c - 'A') + 10
                                             : base;
    if (digit >= base) return Errno::Invalid;
    value = value * base + digit;
  }
  if (value > 0xffffffff) return Errno::Range;
  process->core_filter = static_cast<u32>(value) & kKnown;
  return {};
}

}  // namespace uni::fs::procfs
