// SPDX-License-Identifier: Apache-2.0
// File systems made of a table: each row is a path and what it shows. procfs and sysfs are two such tables. Nothing is
// made before somebody looks, so a table costs nothing at boot.
//
// A component of a path may end in a number: "<pid>", "<tid>", "<fd>", "cpu<cpu>". Rows below one directory stand
// together. A directory needs no row, unless it would be empty.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs {

class Dentry;

namespace pseudo {

// The numbers in a path, outermost first.
struct Numbers {
  u64 n[4] = {};
  u32 count = 0;
  u64 mark = 0;  // tells the object of the first number from a later one that has the same number (Table::mark)
  u64 last() const { return n[count - 1]; }
};

using Show = Result<void> (*)(Writer& out, const Numbers& numbers);
using Store = Result<void> (*)(StringView text, const Numbers& numbers);
using Open = Result<RefPtr<File>> (*)(const Numbers& numbers, u32 flags);
using Control = Result<i64> (*)(const Numbers& numbers, u32 command, UserAddr argument);
using Follow = Result<RefPtr<Dentry>> (*)(const Numbers& numbers);

enum class RowKind : u8 { kFile, kLink, kDirectory };

struct Row {
  StringView path;
  StringView text = {};       // the whole content (or link target) where it never changes
  Show show = nullptr;        // else what makes it
  Store store = nullptr;      // writes; null: read-only
  Open open = nullptr;        // a file that is no text: what opens it
  Control control = nullptr;  // ioctl(2)
  Follow follow = nullptr;    // a link that jumps to an object
  // A file that can be waited for: how often its content has changed, and who is told. poll gives POLLERR and POLLPRI
  // once for each time that somebody asks after a change.
  u64 (*changes)() = nullptr;
  WaitQueue& (*waiting)() = nullptr;
  RowKind kind = RowKind::kFile;
  u16 mode = 0444;
  StringView alias = {};    // a directory that shows the rows of another path (with its own numbers)
  bool first_only = false;  // not shown through an alias

  // A file whose content never changes, and one that is made when it is read.
  static constexpr Row fixed(StringView path, StringView content) {
    Row r{path};
    r.text = content;
    return r;
  }
  static constexpr Row made(StringView path, Show show) {
    Row r{path};
    r.show = show;
    return r;
  }
};

struct Table {
  const Row* rows;
  usize count;
  StringView type_name;
  u64 magic;
  u64 file_size;  // what stat says of files: 0 in procfs, 4096 in sysfs
  // The lowest number >= from that exists for `kind` ("pid", "cpu"), or ~0.
  u64 (*next_number)(StringView kind, const Numbers& outer, u64 from);
  // Who owns the files below a number; null: root.
  void (*owner)(const Numbers& numbers, u32& uid, u32& gid);
  // What Numbers::mark is to be for a first number that exists; null: 0.
  u64 (*mark)(u64 number) = nullptr;
};

Result<RefPtr<FileSystem>> create(const Table& table);
// The numbers of a directory `path` ("<pid>") of the table of that type; null for any other inode.
const Numbers* numbers_of(Inode& inode, StringView type_name, StringView path);

}  // namespace pseudo
}  // namespace uni::fs
