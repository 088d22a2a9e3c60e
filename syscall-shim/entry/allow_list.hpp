// SPDX-License-Identifier: Apache-2.0
// The image's list of system calls (boot configuration `syscalls`, docs/IMAGE.md). What is not in it has its entry in
// the dispatch array taken out at boot, so a call that is allowed pays nothing.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::shim {

// Rows of the dispatch array: above the largest number of syscalls.def.
inline constexpr usize kRows = 480;

// Reads the list; false where its text is malformed. Without one nothing is denied.
[[nodiscard]] bool read_allow_list();
// Whether a list is there and does not have this number (below kRows).
bool is_denied(u64 number);
// What a denied call does: ENOSYS, or with `enforce` the end of the process by SIGSYS. Reports the call once.
i64 denied_call(u64 number, const char* name);

// Reads the list and takes the handlers out of the dispatch array (dispatch.cpp); false as read_allow_list(). Called
// once, at boot.
[[nodiscard]] bool apply_allow_list();

}  // namespace uni::shim
