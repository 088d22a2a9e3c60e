// SPDX-License-Identifier: Apache-2.0
// Structures that grow with Linux: the program says how large its own is.
#pragma once

#include "kernel/mm/user_access.hpp"

namespace uni::shim {

// A T of which the program gives `size` bytes: what is missing is zero, and what it gives beyond must be
// (copy_struct_from_user). Bounds on the size are the caller's. Errors: Fault, TooBig.
template <typename T>
Result<T> read_extensible(UserAddr from, u64 size) {
  T out{};
  TRY(copy_from_user(&out, from, min<u64>(size, sizeof out)));
  for (u64 at = sizeof out; at < size; ++at) {
    u8 byte = 0;
    TRY(copy_from_user(&byte, from + at, 1));
    if (byte != 0) return Errno::TooBig;
  }
  return out;
}

}  // namespace uni::shim
