// SPDX-License-Identifier: Apache-2.0
// A tmpfs directory's entries: hashed for lookup, and in order of their making for reading (an entry's number is its
// offset, so a reader misses nothing when others come and go).
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/fs/tmpfs.hpp"

namespace uni::fs {

struct TmpfsInode::Entry {
  ListNode node;
  Entry* hash_next = nullptr;
  RefPtr<TmpfsInode> inode;
  u64 number = 0;
  u32 hash = 0;
  String name;
};

struct TmpfsInode::Directory {
  ~Directory();
  List<Entry, &Entry::node> entries;
  Vector<Entry*> buckets;
  u64 count = 0;
  u64 next_number = 3;           // behind "." and ".."
  TmpfsInode* parent = nullptr;  // for ".."; itself at the root. A directory outlives what is in it
};

}  // namespace uni::fs
