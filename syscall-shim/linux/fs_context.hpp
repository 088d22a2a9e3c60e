// SPDX-License-Identifier: Apache-2.0
// The descriptor of fsopen(2) and fspick(2): a file system that is being configured. Reading it gives the messages
// about what was wrong, one at a time.
#pragma once

#include "kernel/fs/dentry.hpp"
#include "syscall-shim/linux/fs_mount_types.hpp"

namespace uni::shim {

class FsContextFile final : public fs::File {
 public:
  // For a new file system of a type, and for one that is mounted. Errors: NoMemory.
  static Result<RefPtr<fs::File>> for_new(StringView type);
  static Result<RefPtr<fs::File>> for_mounted(const fs::Mount& mount);
  FsContextFile() : File(fs::FileKind::kFsContext, fs::kOpenReadWrite) {}

  // Errors: NoData (no message), MessageSize (no room for it), Fault.
  Result<usize> read(IoCursor& to, u64 offset) override;
  usize describe(Span<char> out) override;

  // Errors: Busy (not the time for it), Invalid (with a message), NoMemory.
  Result<void> set(StringView key, StringView value, HasValue has_value);
  // FSCONFIG_CMD_CREATE and FSCONFIG_CMD_RECONFIGURE. Errors: Busy, those of create() and reconfigure(); a failure ends
  // the context.
  Result<void> create();
  Result<void> reconfigure();
  // A mount of what create() made, that is nowhere yet; from now on the context reconfigures. Errors: Invalid, Busy.
  Result<RefPtr<fs::Mount>> mount(u32 flags);

 private:
  enum class Phase : u8 { kParameters, kMountable, kReconfiguring, kFailed };
  static constexpr usize kMostMessages = 8;  // the oldest goes then
  void say(StringView start, StringView key);
  void start_reconfiguring(fs::FileSystem& system);

  Mutex lock_;
  Phase phase_ = Phase::kParameters;
  NewFs wanted_;
  RefPtr<fs::FileSystem> system_;
  Vector<String> messages_;
};

}  // namespace uni::shim
