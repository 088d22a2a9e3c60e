// SPDX-License-Identifier: Apache-2.0
// ustat(2), sysfs(2): what statfs and /proc/filesystems have replaced.
#include "kernel/fs/mount.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
// In the order of /proc/filesystems.
constexpr StringView kTypes[] = {"sysfs", "tmpfs", "proc", "devtmpfs", "mqueue", "9p", "ext4"};
constexpr usize kTypeCount = sizeof kTypes / sizeof kTypes[0];
}  // namespace

Result<i64> sys_ustat(u32 device, UserPtr<abi::Ustat> out) {
  const Vector<RefPtr<fs::Mount>> mounts = TRY(fs::mounts());
  for (const RefPtr<fs::Mount>& mount : mounts) {
    if (mount->file_system().device_number() != device) continue;
    const fs::FsStat stat = TRY(mount->file_system().stat());
    abi::Ustat to{};
    to.tfree = static_cast<i32>(stat.blocks_free);
    to.tinode = stat.inodes_free;
    TRY(out.write(to));
    return 0;
  }
  return Errno::Invalid;
}

Result<i64> sys_sysfs(i32 option, u64 first, u64 second) {
  constexpr i32 kIndexOf = 1, kNameOf = 2, kCount = 3;
  char name[64];
  switch (option) {
    case kIndexOf: {
      const auto length = copy_string_from_user(name, UserAddr{first}, sizeof name);
      if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
      for (usize i = 0; i < kTypeCount; ++i) {
        if (kTypes[i] == StringView(name, length.value())) return static_cast<i64>(i);
      }
      return Errno::Invalid;
    }
    case kNameOf: {
      if (first >= kTypeCount) return Errno::Invalid;
      BufferWriter text(name);
      text.write(kTypes[first]);
      text.write({"", 1});
      TRY(copy_to_user(UserAddr{second}, text.view().data(), text.view().size()));
      return 0;
    }
    case kCount:
      return static_cast<i64>(kTypeCount);
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim
