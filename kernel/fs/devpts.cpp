// SPDX-License-Identifier: Apache-2.0
// The directory is made of the table of terminals; owner and mode are kept with the terminal. There is one table, so
// every mount shows the same terminals (Linux has a set for each).
#include "kernel/fs/devpts.hpp"

#include "kernel/base/boot_config.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/tty/tty_file.hpp"
#include "kernel/dev/tty/tty_table.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::devpts {
namespace {

constexpr u64 kDeviceNumber = 0x18;
constexpr u64 kRootInode = 1, kMasterInode = 2, kFirstInode = 3;
constexpr u64 kMasterDevice = u64{5} << 8 | 2;

Timespec now() {
  const u64 ns = time::realtime_ns();
  return {static_cast<i64>(ns / time::kSecond), static_cast<u32>(ns % time::kSecond)};
}

class DevptsFs final : public FileSystem {
 public:
  Result<RefPtr<Inode>> root() override;
  StringView type_name() const override { return "devpts"; }
  Result<FsStat> stat() override {
    FsStat s;
    s.type = 0x1cd1;  // DEVPTS_SUPER_MAGIC
    s.block_size = 1024;
    return s;
  }
  u64 device_number() const override { return kDeviceNumber; }
};

class TerminalInode final : public Inode {
 public:
  TerminalInode(FileSystem& fs, RefPtr<dev::Tty> tty)
      : Inode(fs, FileType::kCharacter, kFirstInode + tty->index()), tty_(uni::move(tty)) {}
  bool cacheable() const override { return false; }
  Result<void> stat(Stat& out) override {
    stat_of(*tty_, out);
    return {};
  }
  Result<void> set_attributes(const SetAttr& change) override {
    if ((change.which & SetAttr::kMode) != 0) tty_->node_mode = change.mode & 07777;
    if ((change.which & SetAttr::kUid) != 0) tty_->node_uid = change.uid;
    if ((change.which & SetAttr::kGid) != 0) tty_->node_gid = change.gid;
    return {};
  }
  Result<RefPtr<File>> open(u32 flags) override { return dev::open_tty(*tty_, flags); }

 private:
  RefPtr<dev::Tty> tty_;
};

// /dev/pts/ptmx: opens as the device that it names.
class MasterInode final : public Inode {
 public:
  explicit MasterInode(FileSystem& fs) : Inode(fs, FileType::kCharacter, kMasterInode) {}
  Result<void> stat(Stat& out) override {
    out.device = kDeviceNumber;
    out.inode = number();
    out.mode = mode_type_bits(type());
    out.special_device = kMasterDevice;
    out.accessed = out.modified = out.changed = now();
    return {};
  }
};

class RootInode final : public Inode {
 public:
  explicit RootInode(FileSystem& fs) : Inode(fs, FileType::kDirectory, kRootInode) {}
  bool cacheable() const override { return false; }
  Result<void> stat(Stat& out) override {
    out.device = kDeviceNumber;
    out.inode = number();
    out.mode = mode_type_bits(type()) | 0755;
    out.links = 2;
    out.accessed = out.modified = out.changed = now();
    return {};
  }
  Result<RefPtr<Inode>> lookup(StringView name) override {
    if (name == "ptmx"_sv) return RefPtr<Inode>(TRY(make_ref<MasterInode>(file_system())));
    const auto number = parse_decimal(name);
    if (!number.ok() || number.value() >= dev::ttys::kMost || (name.size() > 1 && name[0] == '0'))
      return Errno::NoEntry;
    RefPtr<dev::Tty> tty = dev::ttys::find(static_cast<u32>(number.value()));
    if (!tty) return Errno::NoEntry;
    return RefPtr<Inode>(TRY(make_ref<TerminalInode>(file_system(), uni::move(tty))));
  }
  // Offsets: 1 behind ".", 2 behind "..", 3 behind "ptmx", N + 4 behind N.
  Result<void> read_directory(u64 offset, DirectorySink& sink) override {
    if (offset == 0 && !sink.entry(".", kRootInode, FileType::kDirectory, 1)) return {};
    if (offset <= 1 && !sink.entry("..", kRootInode, FileType::kDirectory, 2)) return {};
    if (offset <= 2 && !sink.entry("ptmx", kMasterInode, FileType::kCharacter, 3)) return {};
    u32 from = offset <= 3 ? 0 : static_cast<u32>(min<u64>(offset - 3, dev::ttys::kMost));
    while ((from = dev::ttys::next(from)) < dev::ttys::kMost) {
      char text[16];
      BufferWriter name(text);
      format(name, "{}", from);
      if (!sink.entry(name.view(), kFirstInode + from, FileType::kCharacter, from + 4)) return {};
      ++from;
    }
    return {};
  }
};

Result<RefPtr<Inode>> DevptsFs::root() {
  return RefPtr<Inode>(TRY(make_ref<RootInode>(*this)));
}

constinit Mutex appearing;
bool there = false;  // under appearing

}  // namespace

Result<RefPtr<FileSystem>> create() {
  return RefPtr<FileSystem>(TRY(make_ref<DevptsFs>()));
}

void appear() {
  LockGuard guard(appearing);
  if (there) return;
  there = true;
  auto made = create();
  if (!made.ok()) return;
  const auto mounted = mount_at("/dev/pts", made.take(), "devpts", kMountNoSuid | kMountNoExec);
  if (!mounted.ok()) log::warn("cannot mount devpts on /dev/pts: {}", mounted.error());
}

Result<RefPtr<Dentry>> place_of(const dev::Tty& tty) {
  char text[24];
  BufferWriter path(text);
  format(path, "/dev/pts/{}", tty.index());
  auto context = TRY(FsContext::create_root());
  const Credentials root;
  return lookup({*context, root}, path.view(), 0);
}

void stat_of(const dev::Tty& tty, Stat& out) {
  out.device = kDeviceNumber;
  out.inode = kFirstInode + tty.index();
  out.mode = mode_type_bits(FileType::kCharacter) | tty.node_mode.load();
  out.uid = tty.node_uid.load();
  out.gid = tty.node_gid.load();
  out.special_device = tty.device();
  out.block_size = 1024;
  out.accessed = out.modified = out.changed = now();
}

}  // namespace uni::fs::devpts
