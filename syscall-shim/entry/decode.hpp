// SPDX-License-Identifier: Apache-2.0
// Turns a handler's typed parameters into register decoding. A handler is `Result<i64> sys_NAME(T1, T2, ...)`; each T
// is decoded from its register by decode<T>. A handler whose arity differs from the table's row does not compile
// (dispatch.cpp).
#pragma once

#include <type_traits>

#include "kernel/base/result.hpp"
#include "kernel/mm/user_access.hpp"

namespace uni::shim {

using SysResult = Result<i64>;

template <typename T>
struct Decoder {
  static_assert(std::is_integral_v<T> || std::is_enum_v<T>, "no register decoding for this parameter type");
  static T decode(u64 reg) { return static_cast<T>(reg); }
};
template <typename T>
struct Decoder<UserPtr<T>> {
  static UserPtr<T> decode(u64 reg) { return UserPtr<T>(reg); }
};

template <auto kHandler>
struct Invoke;
template <typename... Args, SysResult (*kHandler)(Args...)>
struct Invoke<kHandler> {
  static constexpr int kArity = sizeof...(Args);
  static SysResult call(const u64* regs) { return call_with(regs, MakeInts<kArity>{}); }

 private:
  template <int... I>
  static SysResult call_with([[maybe_unused]] const u64* regs, Ints<I...>) {
    return kHandler(Decoder<Args>::decode(regs[I])...);
  }
};

}  // namespace uni::shim
