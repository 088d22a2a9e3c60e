// SPDX-License-Identifier: Apache-2.0
// /proc/PID/ns/KIND (namespaces(7), ioctl_ns(2)): a file that stands for a namespace. There is one of each kind.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {

class NamespaceFile final : public File {
 public:
  // The kinds, as CLONE_NEW* names them.
  enum Type : u32 {
    kTime = 0x80,
    kMount = 0x20000,
    kCgroup = 0x02000000,
    kUts = 0x04000000,
    kIpc = 0x08000000,
    kUser = 0x10000000,
    kPid = 0x20000000,
    kNetwork = 0x40000000,
  };
  static constexpr u32 kAllTypes = kTime | kMount | kCgroup | kUts | kIpc | kUser | kPid | kNetwork;
  // NS_GET_NSTYPE: answered by these files only.
  static constexpr u32 kGetType = 0xb703;

  explicit NamespaceFile(Type type) : File(FileKind::kOther, kOpenReadOnly), type_(type) {}
  Result<i64> ioctl(u32 command, u64 argument) override;
  Result<void> stat(Stat& out) override;
  usize describe(Span<char> out) override;

 private:
  Type type_;
};

}  // namespace uni::fs
