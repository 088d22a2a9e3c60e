// SPDX-License-Identifier: Apache-2.0
// Vector<T>: growing array; growth can fail with ENOMEM. String: owned bytes with a NUL behind them.
#pragma once

#include <new>
#include <type_traits>

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni {

template <typename T>
class Vector {
 public:
  Vector() = default;
  Vector(Vector&& o) noexcept
      : data_(exchange(o.data_, nullptr)), size_(exchange(o.size_, 0u)), capacity_(exchange(o.capacity_, 0u)) {}
  Vector& operator=(Vector&& o) noexcept {
    swap(data_, o.data_);
    swap(size_, o.size_);
    swap(capacity_, o.capacity_);
    return *this;
  }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;
  ~Vector() {
    clear();
    ::operator delete (static_cast<void*>(data_), std::align_val_t{alignof(T)});
  }

  usize size() const { return size_; }
  usize capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](usize i) {
    ASSERT(i < size_);
    return data_[i];
  }
  const T& operator[](usize i) const {
    ASSERT(i < size_);
    return data_[i];
  }
  T& back() { return (*this)[size_ - 1]; }
  Span<T> span() { return {data_, size_}; }
  Span<const T> span() const { return {data_, size_}; }

  Result<void> reserve(usize wanted) {
    if (wanted <= capacity_) return {};
    usize bytes = 0;
    if (__builtin_mul_overflow(wanted, sizeof(T), &bytes)) return Errno::NoMemory;
    T* fresh = static_cast<T*>(::operator new (bytes, std::align_val_t{alignof(T)}, std::nothrow));
    if (fresh == nullptr) return Errno::NoMemory;
    if constexpr (std::is_trivially_copyable_v<T>) {
      if (size_ != 0) __builtin_memcpy(static_cast<void*>(fresh), data_, size_ * sizeof(T));
    } else {
      for (usize i = 0; i < size_; ++i) {
        new (&fresh[i]) T(uni::move(data_[i]));
        data_[i].~T();
      }
    }
    ::operator delete (static_cast<void*>(data_), std::align_val_t{alignof(T)});
    data_ = fresh;
    capacity_ = wanted;
    return {};
  }
  Result<void> push(T value) {
    if (size_ == capacity_) TRY(reserve(capacity_ == 0 ? 8 : capacity_ * 2));
    new (&data_[size_++]) T(uni::move(value));
    return {};
  }
  // Grows with value-initialised elements, or shrinks.
  Result<void> resize(usize wanted) {
    TRY(reserve(wanted));
    while (size_ < wanted)
      new (&data_[size_++]) T();
    while (size_ > wanted)
      data_[--size_].~T();
    return {};
  }
  // Adds copies of `count` elements.
  Result<void> append(const T* from, usize count) {
    if (size_ + count > capacity_) TRY(reserve(max(size_ + count, capacity_ * 2)));
    if constexpr (std::is_trivially_copyable_v<T>) {
      if (count != 0) __builtin_memcpy(static_cast<void*>(data_ + size_), from, count * sizeof(T));
      size_ += count;
    } else {
      for (usize i = 0; i < count; ++i)
        new (&data_[size_++]) T(from[i]);
    }
    return {};
  }
  void pop() { data_[--size_].~T(); }
  // Keeps the order.
  void remove_at(usize index) {
    ASSERT(index < size_);
    for (usize i = index; i + 1 < size_; ++i)
      data_[i] = uni::move(data_[i + 1]);
    pop();
  }
  void clear() {
    while (size_ > 0)
      pop();
  }

 private:
  T* data_ = nullptr;
  usize size_ = 0;
  usize capacity_ = 0;
};

class String {
 public:
  String() = default;
  String(String&&) = default;
  String& operator=(String&&) = default;
  static Result<String> copy(StringView text) {
    String s;
    TRY(s.bytes_.resize(text.size() + 1));
    for (usize i = 0; i < text.size(); ++i)
      s.bytes_[i] = text[i];
    return s;
  }
  // `size` NUL bytes, to be filled in.
  static Result<String> filled(usize size) {
    String s;
    TRY(s.bytes_.resize(size + 1));
    return s;
  }
  char* data() { return bytes_.data(); }
  Span<char> span() { return {bytes_.data(), size()}; }
  Result<void> append(StringView text) {
    const usize old = size();
    TRY(bytes_.resize(old + text.size() + 1));
    for (usize i = 0; i < text.size(); ++i)
      bytes_[old + i] = text[i];
    bytes_[old + text.size()] = '\0';
    return {};
  }
  usize size() const { return bytes_.empty() ? 0 : bytes_.size() - 1; }
  bool empty() const { return size() == 0; }
  StringView view() const { return bytes_.empty() ? StringView() : StringView(bytes_.data(), size()); }
  const char* c_str() const { return bytes_.empty() ? "" : bytes_.data(); }

 private:
  Vector<char> bytes_;
};

inline Result<void> push_copy(Vector<String>& to, StringView text) {
  auto copy = TRY(String::copy(text));
  return to.push(uni::move(copy));
}

}  // namespace uni
