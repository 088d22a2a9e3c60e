// SPDX-License-Identifier: Apache-2.0
// memfd_secret(2).
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {

// An open file of secret memory, of size 0. Its vm_object() is secret: it is for shared mappings that count as locked
// memory and cannot be executed, which is the caller's to see to. Errors: NoMemory.
Result<RefPtr<File>> make_secret_memory();

}  // namespace uni::fs
