// SPDX-License-Identifier: Apache-2.0
// Span<T>: a borrowed, bounds-checked run of objects. StringView: borrowed characters, not NUL-terminated.
#pragma once

#include "kernel/base/assert.hpp"
#include "kernel/base/types.hpp"

namespace uni {

template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, usize size) : data_(data), size_(size) {}
  template <usize N>
  constexpr Span(T (&array)[N]) : data_(array), size_(N) {}
  // Span<T> -> Span<const T>
  template <typename U>
  requires(__is_same(T, const U)) constexpr Span(Span<U> other) : data_(other.data()), size_(other.size()) {}

  constexpr T* data() const { return data_; }
  constexpr usize size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](usize i) const {
    ASSERT(i < size_);
    return data_[i];
  }
  // The part [offset, offset + count), cut to what is there.
  constexpr Span slice(usize offset, usize count = ~usize{0}) const {
    if (offset > size_) offset = size_;
    return {data_ + offset, min(count, size_ - offset)};
  }

 private:
  T* data_ = nullptr;
  usize size_ = 0;
};

class StringView {
 public:
  constexpr StringView() = default;
  constexpr StringView(const char* data, usize size) : data_(data), size_(size) {}
  constexpr StringView(const char* text) : data_(text), size_(0) {
    while (text != nullptr && text[size_] != '\0')
      ++size_;
  }
  constexpr const char* data() const { return data_; }
  constexpr usize size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const char* begin() const { return data_; }
  constexpr const char* end() const { return data_ + size_; }
  constexpr char operator[](usize i) const {
    ASSERT(i < size_);
    return data_[i];
  }
  constexpr StringView slice(usize offset, usize count = ~usize{0}) const {
    if (offset > size_) offset = size_;
    return {data_ + offset, min(count, size_ - offset)};
  }
  constexpr bool starts_with(StringView prefix) const {
    return size_ >= prefix.size_ && slice(0, prefix.size_) == prefix;
  }
  static constexpr usize kNotFound = ~usize{0};
  constexpr usize find(char c, usize from = 0) const {
    for (usize i = from; i < size_; ++i) {
      if (data_[i] == c) return i;
    }
    return kNotFound;
  }
  friend constexpr bool operator==(StringView a, StringView b) {
    if (a.size_ != b.size_) return false;
    for (usize i = 0; i < a.size_; ++i) {
      if (a.data_[i] != b.data_[i]) return false;
    }
    return true;
  }

 private:
  const char* data_ = "";
  usize size_ = 0;
};

constexpr StringView operator""_sv(const char* text, std::size_t size) {
  return {text, size};
}

}  // namespace uni
