// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Errno. TRY passes an error up; MUST takes the value where a comment proves that there is
// one.
#pragma once

#include <new>
#include <type_traits>

#include "kernel/base/assert.hpp"
#include "kernel/base/errno.hpp"
#include "kernel/base/utility.hpp"

namespace uni {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(Errno e) : error_(e) {}
  template <typename U = T>
  requires std::is_constructible_v<T, U&&> &&
      (!std::is_same_v<std::remove_cvref_t<U>, Errno>)&&(!std::is_same_v<std::remove_cvref_t<U>, Result>)
          Result(U&& value)
      : error_(Errno{}) {
    new (&storage_) T(uni::forward<U>(value));
  }
  Result(Result&& other) noexcept : error_(other.error_) {
    if (ok()) new (&storage_) T(uni::move(other.ref()));
  }
  Result& operator=(Result&&) = delete;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      if (ok()) ref().~T();
    }
  }

  bool ok() const { return error_ == Errno{}; }
  explicit operator bool() const { return ok(); }
  Errno error() const { return error_; }
  T& value() & { return ref(); }
  const T& value() const& { return const_cast<Result*>(this)->ref(); }
  T take() { return uni::move(ref()); }
  T value_or(T other) { return ok() ? take() : uni::move(other); }

 private:
  T& ref() {
    ASSERT(ok());
    // SAFETY: storage_ holds a T whenever error_ is zero.
    return *std::launder(reinterpret_cast<T*>(&storage_));
  }

  Errno error_;
  alignas(T) unsigned char storage_[sizeof(T)];
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : error_(Errno{}) {}
  Result(Errno e) : error_(e) {}
  bool ok() const { return error_ == Errno{}; }
  explicit operator bool() const { return ok(); }
  Errno error() const { return error_; }
  void take() {}

 private:
  Errno error_;
};

}  // namespace uni

#define TRY(expression)                                \
  ({                                                   \
    auto try_result_ = (expression);                   \
    if (!try_result_.ok()) return try_result_.error(); \
    try_result_.take();                                \
  })

#define MUST(expression)              \
  ({                                  \
    auto must_result_ = (expression); \
    ASSERT(must_result_.ok());        \
    must_result_.take();              \
  })
