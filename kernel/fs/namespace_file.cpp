// SPDX-License-Identifier: Apache-2.0
// Every namespace is the first of its kind: it has no parent that one may see, and the first user namespace owns it.
#include "kernel/fs/namespace_file.hpp"

#include "kernel/base/format.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {

struct Kind {
  NamespaceFile::Type type;
  StringView name;
  u64 inode;
};
// Linux's numbers for the first namespaces (enum init_ns_ino).
constexpr Kind kKinds[] = {
    {NamespaceFile::kTime, "time", 4026531834},   {NamespaceFile::kCgroup, "cgroup", 4026531835},
    {NamespaceFile::kPid, "pid", 4026531836},     {NamespaceFile::kUser, "user", 4026531837},
    {NamespaceFile::kUts, "uts", 4026531838},     {NamespaceFile::kIpc, "ipc", 4026531839},
    {NamespaceFile::kNetwork, "net", 4026531833}, {NamespaceFile::kMount, "mnt", 4026531832},
};

const Kind& kind_of(NamespaceFile::Type type) {
  for (const Kind& k : kKinds) {
    if (k.type == type) return k;
  }
  return kKinds[0];
}

}  // namespace

Result<i64> NamespaceFile::ioctl(u32 command, u64 argument) {
  constexpr u32 kGetUser = 0xb701, kGetParent = 0xb702, kGetOwner = 0xb704;
  switch (command) {
    case kGetUser: {
      if (type_ == kUser) return Errno::NotPermitted;
      auto owner = TRY(make_ref<NamespaceFile>(kUser));
      return i64 {
        TRY(Process::current().files->install(uni::move(owner), true))
      };
    }
    case kGetParent:
      return type_ == kUser || type_ == kPid ? Errno::NotPermitted : Errno::Invalid;
    case kGetType:
      return i64{type_};
    case kGetOwner:
      if (type_ != kUser) return Errno::Invalid;
      TRY(UserPtr<u32>(argument).write(0));
      return 0;
    default:
      return Errno::NotTty;
  }
}

Result<void> NamespaceFile::stat(Stat& out) {
  out.device = 4;
  out.inode = kind_of(type_).inode;
  out.mode = mode_type_bits(FileType::kRegular) | 0444;
  return {};
}

usize NamespaceFile::describe(Span<char> out) {
  BufferWriter text(out.data(), out.size());
  const Kind& kind = kind_of(type_);
  format(text, "{}:[{}]", kind.name, kind.inode);
  return text.view().size();
}

}  // namespace uni::fs
