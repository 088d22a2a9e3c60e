// SPDX-License-Identifier: Apache-2.0
// The types of file systems that a program can mount. tmpfs(5) knows size, mode, uid and gid; nr_inodes, huge and the
// like are refused. A file system of a device needs a device, of which an image has none to spare.
#include "syscall-shim/linux/fs_mount_types.hpp"

#include "kernel/fs/devfs.hpp"
#include "kernel/fs/mount.hpp"
#include "kernel/fs/procfs/procfs.hpp"
#include "kernel/fs/sysfs/sysfs.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/ipc/mqueue.hpp"

namespace uni::shim {

namespace {
constexpr StringView kTypes[] = {"tmpfs", "ramfs", "proc", "sysfs", "devtmpfs", "mqueue", "ext2", "ext3", "ext4"};

struct FlagOption {
  StringView name;
  u32 set, clear;
};
constexpr FlagOption kFlagOptions[] = {
    {"ro", 1, 0},    {"rw", 0, 1},      {"sync", 16, 0},          {"async", 0, 16},           {"dirsync", 128, 0},
    {"mand", 64, 0}, {"nomand", 0, 64}, {"lazytime", 1 << 25, 0}, {"nolazytime", 0, 1 << 25},
};

// A number with an optional k, m or g; `base` 8 for modes.
Result<u64> number(StringView text, u64 base) {
  u64 value = 0;
  if (text.empty()) return Errno::Invalid;
  for (usize i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool last = i + 1 == text.size();
    if (last && i > 0 && (c == 'k' || c == 'K')) return value << 10;
    if (last && i > 0 && (c == 'm' || c == 'M')) return value << 20;
    if (last && i > 0 && (c == 'g' || c == 'G')) return value << 30;
    if (c < '0' || static_cast<u64>(c - '0') >= base || value > (~u64{0} >> 34)) return Errno::Invalid;
    value = value * base + static_cast<u64>(c - '0');
  }
  return value;
}

Result<void> set_tmpfs_option(NewFs& fs, StringView key, StringView value) {
  if (key == "size"_sv) {
    fs.size = TRY(number(value, 10));
  } else if (key == "mode"_sv) {
    fs.mode = static_cast<u32>(TRY(number(value, 8))) & 07777;
  } else if (key == "uid"_sv || key == "gid"_sv) {
    const u64 id = TRY(number(value, 10));
    if (id >= ~u32{0}) return Errno::Invalid;
    (key == "uid"_sv ? fs.uid : fs.gid) = static_cast<u32>(id);
  } else {
    return Errno::NoEntry;
  }
  return {};
}

Result<RefPtr<fs::FileSystem>> make_tmpfs(const NewFs& wanted) {
  RefPtr<fs::FileSystem> made = TRY(fs::make_tmpfs(wanted.size, wanted.mode));
  if (wanted.uid != 0 || wanted.gid != 0) {
    fs::SetAttr owner;
    owner.which = fs::SetAttr::kUid | fs::SetAttr::kGid;
    owner.uid = wanted.uid;
    owner.gid = wanted.gid;
    const RefPtr<fs::Inode> root = TRY(made->root());
    LockGuard guard(root->lock);
    TRY(root->set_attributes(owner));
  }
  return made;
}

Result<RefPtr<fs::FileSystem>> make(const NewFs& wanted) {
  const StringView type = wanted.type;
  if (type == "tmpfs"_sv || type == "ramfs"_sv) return make_tmpfs(wanted);
  if (type == "proc"_sv) return fs::procfs::create();
  if (type == "sysfs"_sv) return fs::sysfs::create();
  if (type == "devtmpfs"_sv) return fs::devfs::create();
  if (type == "mqueue"_sv) return ipc::mqueue_fs();
  return Errno::NotBlock;
}
}  // namespace

Result<StringView> known_type(StringView name) {
  for (const StringView type : kTypes)
    if (type == name) return type;
  return Errno::NoDevice;
}

Result<void> set_option(NewFs& fs, StringView key, StringView value, HasValue has_value) {
  for (const FlagOption& option : kFlagOptions) {
    if (option.name != key) continue;
    fs.super_flags = (fs.super_flags & ~option.clear) | option.set;
    return {};
  }
  if (fs.type == "tmpfs"_sv || fs.type == "ramfs"_sv) {
    const Result<void> done = set_tmpfs_option(fs, key, value);
    if (done.ok() || done.error() != Errno::NoEntry) return done;
  }
  if (key != "source"_sv) return Errno::NoEntry;
  if (has_value == HasValue::kNo || !fs.source.empty()) return Errno::Invalid;
  fs.source = TRY(String::copy(value));
  return {};
}

Result<void> set_options(NewFs& fs, StringView options) {
  while (!options.empty()) {
    const usize comma = min(options.find(','), options.size());
    const StringView option = options.slice(0, comma);
    options = options.slice(min(comma + 1, options.size()));
    if (option.empty()) continue;
    const usize equals = option.find('=');
    const Result<void> done = equals == StringView::kNotFound
                                  ? set_option(fs, option, {}, HasValue::kNo)
                                  : set_option(fs, option.slice(0, equals), option.slice(equals + 1), HasValue::kYes);
    if (!done.ok()) return done.error() == Errno::NoEntry ? Errno::Invalid : done.error();
  }
  return {};
}

Result<RefPtr<fs::FileSystem>> create(const NewFs& fs) {
  RefPtr<fs::FileSystem> made = TRY(make(fs));
  if (made->mounts.load() == 0) made->super_flags.store(fs.super_flags);
  return made;
}

Result<void> reconfigure(fs::FileSystem& system, const NewFs& wanted) {
  constexpr u32 kReadOnly = fs::kMountReadOnly;
  const bool read_only = (wanted.super_flags & kReadOnly) != 0;
  if (!read_only && system.read_only()) return Errno::ReadOnlyFs;
  if (read_only && (system.super_flags.load() & kReadOnly) == 0) {
    for (const RefPtr<fs::Mount>& m : TRY(fs::mounts()))
      if (&m->file_system() == &system && m->writers.load() != 0) return Errno::Busy;
    TRY(system.sync());
  }
  if (system.type_name() == "tmpfs"_sv) TRY(fs::resize_tmpfs(system, wanted.size));
  constexpr u32 kDirectorySync = 128;  // is for a new one alone
  system.super_flags.store((wanted.super_flags & ~kDirectorySync) | (system.super_flags.load() & kDirectorySync));
  return {};
}

}  // namespace uni::shim
