// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/fs/dentry.hpp"

namespace uni::fs {

// The file system has just dropped the name: takes it out of the cache, and lets dirty pages of a file without names
// go. Needs: the directory's lock held; dentry_lock() not held.
void forget_name(Dentry& dentry);

}  // namespace uni::fs
