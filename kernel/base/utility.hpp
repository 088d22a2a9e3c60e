// SPDX-License-Identifier: Apache-2.0
// move, forward, swap, exchange, and a scope guard: the little of <utility> that the guest needs.
#pragma once

#include <type_traits>

namespace uni {

template <typename T>
constexpr std::remove_reference_t<T>&& move(T&& value) {
  return static_cast<std::remove_reference_t<T>&&>(value);
}
template <typename T>
constexpr T&& forward(std::remove_reference_t<T>& value) {
  return static_cast<T&&>(value);
}
template <typename T>
constexpr T&& forward(std::remove_reference_t<T>&& value) {
  return static_cast<T&&>(value);
}
template <typename T, typename U = T>
constexpr T exchange(T& object, U&& value) {
  T old = uni::move(object);
  object = uni::forward<U>(value);
  return old;
}
template <typename T>
constexpr void swap(T& a, T& b) {
  T c = uni::move(a);
  a = uni::move(b);
  b = uni::move(c);
}

// 0, 1, ... N-1 as a pack.
template <int... I>
struct Ints {};
template <int N>
using MakeInts = Ints<__integer_pack(N)...>;

// Runs `action` at the end of the scope unless dismissed.
template <typename F>
class ScopeGuard {
 public:
  explicit ScopeGuard(F action) : action_(uni::move(action)) {}
  ~ScopeGuard() {
    if (armed_) action_();
  }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;
  void dismiss() { armed_ = false; }

 private:
  F action_;
  bool armed_ = true;
};

}  // namespace uni
