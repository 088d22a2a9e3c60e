// SPDX-License-Identifier: Apache-2.0
// The one formatter of the guest. A pattern with more braces than arguments prints `{?}`; it never reads past the list.
#include "kernel/base/format.hpp"

namespace uni {
namespace {

struct Spec {
  bool right = false;
  bool alternate = false;
  bool zero = false;
  usize width = 0;
  unsigned base = 10;
};

Spec parse(StringView text) {
  Spec s;
  for (char c : text) {
    if (c == '>')
      s.right = true;
    else if (c == '#')
      s.alternate = true;
    else if (c == '0' && s.width == 0)
      s.zero = true;
    else if (c >= '0' && c <= '9')
      s.width = s.width * 10 + static_cast<usize>(c - '0');
    else if (c == 'x')
      s.base = 16;
    else if (c == 'o')
      s.base = 8;
  }
  return s;
}

constexpr StringView kBlanks = "                ", kZeros = "0000000000000000";

void pad(Writer& out, usize have, const Spec& s, StringView with) {
  for (usize missing = s.width > have ? s.width - have : 0; missing > 0;) {
    const StringView piece = with.slice(0, missing);
    out.write(piece);
    missing -= piece.size();
  }
}

void put_text(Writer& out, StringView text, const Spec& s) {
  if (s.right) pad(out, text.size(), s, kBlanks);
  out.write(text);
  if (!s.right) pad(out, text.size(), s, kBlanks);
}

void put_number(Writer& out, const FormatArg& a, const Spec& s) {
  char digits[32];
  usize n = 0;
  u64 value = a.number;
  const bool negative = a.kind == FormatArg::Kind::kSigned && static_cast<i64>(value) < 0 && s.base == 10;
  if (negative) value = ~value + 1;
  do {
    digits[sizeof digits - 1 - n++] = "0123456789abcdef"[value % s.base];
    value /= s.base;
  } while (value != 0);
  char prefix[3];
  usize p = 0;
  if (negative) prefix[p++] = '-';
  if (s.alternate && s.base == 16) {
    prefix[p++] = '0';
    prefix[p++] = 'x';
  } else if (s.alternate && s.base == 8) {
    prefix[p++] = '0';
  }
  const usize have = n + p;
  // Numbers with a width are right-aligned unless zero-filled.
  if (!s.zero && s.right) pad(out, have, s, kBlanks);
  out.write({prefix, p});
  if (s.zero) pad(out, have, s, kZeros);
  out.write({digits + sizeof digits - n, n});
  if (!s.zero && !s.right) pad(out, have, s, kBlanks);
}

}  // namespace

void format_args(Writer& out, StringView pattern, const FormatArg* args, usize count) {
  usize used = 0;
  usize start = 0;
  for (usize i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '{' && c != '}') continue;
    out.write(pattern.slice(start, i - start));
    if (i + 1 < pattern.size() && pattern[i + 1] == c) {
      out.write({&c, 1});
      start = ++i + 1;
      continue;
    }
    usize close = pattern.find('}', i);
    if (close == StringView::kNotFound) close = pattern.size();
    const Spec s = parse(pattern.slice(i + 1, close - i - 1));
    if (used >= count) {
      out.write("{?}");
    } else if (const FormatArg& a = args[used++]; a.kind == FormatArg::Kind::kText) {
      put_text(out, {a.text.data, a.text.size}, s);
    } else if (a.kind == FormatArg::Kind::kChar) {
      const char one = static_cast<char>(a.number);
      put_text(out, {&one, 1}, s);
    } else {
      put_number(out, a, s);
    }
    i = close;
    start = close + 1;
  }
  if (start < pattern.size()) out.write(pattern.slice(start));
}

}  // namespace uni
