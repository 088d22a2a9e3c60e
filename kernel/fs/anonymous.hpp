// SPDX-License-Identifier: Apache-2.0
// The names of Files without an inode, as /proc/self/fd shows them.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/base/span.hpp"

namespace uni::fs {

// "anon_inode:" and `name`; gives the length.
inline usize describe_anonymous(StringView name, Span<char> out) {
  BufferWriter writer(out.data(), out.size());
  writer.write("anon_inode:");
  writer.write(name);
  return writer.view().size();
}

}  // namespace uni::fs
