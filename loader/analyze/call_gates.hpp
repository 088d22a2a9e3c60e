// SPDX-License-Identifier: Apache-2.0
// Calls inside glibc that are made only for what a program asked for by another function before: a mutex with a
// ceiling, attributes of posix_spawn. The asking function sets a bit in an opaque object that nothing else sets.
#pragma once

#include <span>
#include <string_view>

namespace uni {

// The functions of which one must be reached before glibc's own helpers (functions that it does not export) call
// `callee`; empty where there is no such rule.
std::span<const std::string_view> asked_for_by(std::string_view callee);

// The same for a system call that those helpers, or pthread_create, make themselves.
std::span<const std::string_view> asked_for_by(unsigned number);

}  // namespace uni
