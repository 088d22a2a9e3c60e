// SPDX-License-Identifier: Apache-2.0
// Type-safe formatting into a Writer: format(w, "pid {} at {:#x} [{:08x}] {:>6}", ...). A spec is
// [>|<][#][0][width][x|o|c]; the default is left-aligned text and plain decimal. Never allocates.
#pragma once

#include <type_traits>

#include "kernel/base/errno.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni {

class Writer {
 public:
  virtual void write(StringView text) = 0;

 protected:
  ~Writer() = default;
};

// Writes into a fixed buffer and drops what does not fit (truncated() says so).
class BufferWriter final : public Writer {
 public:
  BufferWriter(char* buffer, usize capacity) : buffer_(buffer), capacity_(capacity) {}
  template <usize N>
  explicit BufferWriter(char (&array)[N]) : BufferWriter(array, N) {}
  void write(StringView text) override {
    const StringView part = text.slice(0, capacity_ - size_);
    if (part.size() != text.size()) truncated_ = true;
    __builtin_memcpy(buffer_ + size_, part.data(), part.size());
    size_ += part.size();
  }
  StringView view() const { return {buffer_, size_}; }
  bool truncated() const { return truncated_; }

 private:
  char* buffer_;
  usize capacity_;
  usize size_ = 0;
  bool truncated_ = false;
};

struct FormatArg {
  enum class Kind : u8 { kUnsigned, kSigned, kText, kChar };
  Kind kind;
  union {
    u64 number;
    struct {
      const char* data;
      usize size;
    } text;
  };
};

template <typename T>
constexpr FormatArg make_format_arg(const T& v) {
  FormatArg a{};
  if constexpr (std::is_same_v<T, char>) {
    a.kind = FormatArg::Kind::kChar;
    a.number = static_cast<u8>(v);
  } else if constexpr (std::is_same_v<T, bool>) {
    a.kind = FormatArg::Kind::kUnsigned;
    a.number = v ? 1 : 0;
  } else if constexpr (std::is_same_v<T, Errno>) {
    const StringView s(errno_name(v));
    a.kind = FormatArg::Kind::kText;
    a.text = {s.data(), s.size()};
  } else if constexpr (std::is_enum_v<T>) {
    a.kind = FormatArg::Kind::kUnsigned;
    a.number = static_cast<u64>(v);
  } else if constexpr (std::is_integral_v<T>) {
    a.kind = std::is_signed_v<T> ? FormatArg::Kind::kSigned : FormatArg::Kind::kUnsigned;
    a.number = static_cast<u64>(static_cast<i64>(v));
    if constexpr (!std::is_signed_v<T>) a.number = v;
  } else if constexpr (std::is_convertible_v<const T&, StringView>) {
    const StringView s(v);
    a.kind = FormatArg::Kind::kText;
    a.text = {s.data(), s.size()};
  } else {
    static_assert(std::is_pointer_v<T>, "type cannot be formatted");
    a.kind = FormatArg::Kind::kUnsigned;
    a.number = reinterpret_cast<u64>(v);
  }
  return a;
}

void format_args(Writer& out, StringView pattern, const FormatArg* args, usize count);

template <typename... Args>
void format(Writer& out, StringView pattern, const Args&... args) {
  const FormatArg list[sizeof...(Args) + 1] = {make_format_arg(args)..., FormatArg{}};
  format_args(out, pattern, list, sizeof...(Args));
}

}  // namespace uni
