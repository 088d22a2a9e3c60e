// SPDX-License-Identifier: Apache-2.0
// What the handlers of keys share: names and content on their way in.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/linux/keyring.hpp"

namespace uni::shim::keys {

inline constexpr usize kMostPayload = (1u << 20) - 1;

// A type's name. Errors: Fault, Invalid (empty or 32 bytes and more), NotPermitted (begins with a dot).
struct TypeName {
  char text[32];
  usize size = 0;
  Result<void> read(UserPtr<char> from);
  StringView view() const { return {text, size}; }
};
// A description: up to 4095 bytes. Errors: Fault, Invalid, NoMemory.
Result<String> read_description(UserPtr<char> from);
// Errors: Fault, NoMemory.
Result<Vector<char>> read_payload(UserPtr<char> from, usize size);
// Is the content right for the type? Errors: Invalid.
Result<void> check_payload(Type type, usize size);

}  // namespace uni::shim::keys
