// SPDX-License-Identifier: Apache-2.0
#include "kernel/fs/pidfd.hpp"

#include "kernel/fs/anonymous.hpp"

namespace uni::fs {

usize PidFd::describe(Span<char> out) {
  return describe_anonymous("[pidfd]", out);
}

}  // namespace uni::fs
