// SPDX-License-Identifier: Apache-2.0
// splice(2) and tee(2) on open files.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::shim {

// An offset that is null is the file's own; one that is given is advanced. Errors: those of splice(2), Pipe without its
// signal.
Result<usize> splice_files(fs::File& in, i64* in_offset, fs::File& out, i64* out_offset, u64 count, u32 flags);
Result<usize> tee_files(fs::File& in, fs::File& out, u64 count, u32 flags);

}  // namespace uni::shim
