// SPDX-License-Identifier: Apache-2.0
// Device numbers are Linux's (Documentation/admin-guide/devices.txt). /dev/console is the port `uni.tty`, where
// the image runs with one; /dev/tty is the caller's controlling terminal, /dev/ptmx makes ptys.
#include "kernel/fs/devfs.hpp"

#include "kernel/boot/log.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/dev/tty/pty.hpp"
#include "kernel/dev/tty/tty_file.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs::devfs {
namespace {

constexpr u64 number(u32 major, u32 minor) {
  return u64{major} << 8 | minor;
}

enum Device : u64 {
  kNull = number(1, 3),
  kZero = number(1, 5),
  kFull = number(1, 7),
  kRandom = number(1, 8),
  kUrandom = number(1, 9),
  kKmsg = number(1, 11),
  kTty = number(5, 0),
  kConsole = number(5, 1),
  kPtmx = number(5, 2),
};

// The files that are always ready and have no position.
class MemoryDevice final : public File {
 public:
  MemoryDevice(u64 device, u32 flags) : File(FileKind::kDevice, flags), device_(device) {}

  Result<usize> read(IoCursor& to, u64) override {
    switch (device_) {
      case kZero:
      case kFull:
        return to.put_zero(to.remaining());
      case kRandom:
      case kUrandom:
        return read_random(to);
      default:
        return usize{0};
    }
  }

  Result<usize> write(IoCursor& from, u64) override {
    const usize size = from.remaining();
    switch (device_) {
      case kFull:
        return Errno::NoSpace;
      case kRandom:
      case kUrandom: {
        u8 bytes[64];
        usize taken = 0;
        while (from.remaining() > 0) {
          const usize n = TRY(from.take(bytes, min(sizeof bytes, from.remaining())));
          random::add_entropy(bytes, n);
          taken += n;
        }
        return taken;
      }
      default:
        from.skip(size);
        return size;
    }
  }

  u32 poll() override { return kPollIn | kPollOut | kPollRdNorm | kPollWrNorm; }
  bool seekable() const override { return true; }
  // lseek on these devices succeeds and means nothing.
  Result<u64> seek(i64, int) override { return u64{0}; }

  // Mapping /dev/zero gives zero-filled memory, up to 16 GiB of it.
  Result<RefPtr<mm::VmObject>> vm_object() override {
    if (device_ != kZero) return Errno::NoDevice;
    return mm::make_shared_memory(u64{1} << 22);
  }

  Result<i64> ioctl(u32 command, u64 argument) override {
    constexpr u32 kGetEntropyCount = 0x80045200;  // RNDGETENTCNT
    if ((device_ == kRandom || device_ == kUrandom) && command == kGetEntropyCount) {
      TRY(UserPtr<int>(argument).write(256));
      return i64{0};
    }
    return Errno::NotTty;
  }

 private:
  Result<usize> read_random(IoCursor& to) {
    u8 bytes[256];
    usize given = 0;
    while (to.remaining() > 0) {
      const usize n = min(sizeof bytes, to.remaining());
      random::fill(bytes, n);
      auto put = to.put(bytes, n);
      if (!put.ok()) return given > 0 ? Result<usize>(given) : put.error();
      given += put.value();
      if (put.value() < n) break;
    }
    return given;
  }
  u64 device_;
};

// The kernel's log. It is not kept in memory, so it can only be written.
class KernelMessages final : public File {
 public:
  explicit KernelMessages(u32 flags) : File(FileKind::kDevice, flags) {}
  Result<usize> write(IoCursor& from, u64) override {
    char text[1024];
    const usize size = from.remaining();
    if (size > sizeof text) return Errno::Invalid;
    const usize n = TRY(from.take(text, size));
    StringView line(text, n);
    // "<6>text": the priority in front is not shown.
    if (line.starts_with("<")) {
      const usize end = line.find('>');
      if (end != StringView::kNotFound) line = line.slice(end + 1);
    }
    while (!line.empty() && line[line.size() - 1] == '\n')
      line = line.slice(0, line.size() - 1);
    log::info("{}", line);
    return n;
  }
  u32 poll() override { return kPollOut | kPollWrNorm; }
};

struct Node {
  StringView name;
  FileType type;
  u32 mode;
  u64 device;
  StringView target;
};
constexpr Node kNodes[] = {
    {"null", FileType::kCharacter, 0666, kNull, {}},
    {"zero", FileType::kCharacter, 0666, kZero, {}},
    {"full", FileType::kCharacter, 0666, kFull, {}},
    {"random", FileType::kCharacter, 0666, kRandom, {}},
    {"urandom", FileType::kCharacter, 0666, kUrandom, {}},
    {"kmsg", FileType::kCharacter, 0644, kKmsg, {}},
    {"tty", FileType::kCharacter, 0666, kTty, {}},
    {"console", FileType::kCharacter, 0600, kConsole, {}},
    {"ptmx", FileType::kCharacter, 0666, kPtmx, {}},
    {"fd", FileType::kSymlink, 0, 0, "/proc/self/fd"},
    {"stdin", FileType::kSymlink, 0, 0, "/proc/self/fd/0"},
    {"stdout", FileType::kSymlink, 0, 0, "/proc/self/fd/1"},
    {"stderr", FileType::kSymlink, 0, 0, "/proc/self/fd/2"},
    {"shm", FileType::kDirectory, 01777, 0, {}},
    {"pts", FileType::kDirectory, 0755, 0, {}},
    {"mqueue", FileType::kDirectory, 01777, 0, {}},
};

}  // namespace

Result<RefPtr<File>> open_device(FileType type, u64 device, u32 flags) {
  if (type != FileType::kCharacter) return Errno::NoDeviceOrAddress;
  switch (device) {
    case kNull:
    case kZero:
    case kFull:
    case kRandom:
    case kUrandom:
      return RefPtr<File>(TRY(make_ref<MemoryDevice>(device, flags)));
    case kKmsg:
      // dmesg_restrict, which Debian sets: reading needs what no image grants.
      if ((flags & kOpenAccessMask) == kOpenReadOnly) return Errno::NotPermitted;
      return RefPtr<File>(TRY(make_ref<KernelMessages>(flags)));
    case kTty:
      return dev::open_controlling_tty(flags);
    case kPtmx:
      return dev::open_ptmx(flags);
    case kConsole: {
      auto port = dev::open_port("uni.tty", flags | kOpenNoCtty);
      if (!port.ok() && port.error() == Errno::NoDevice) return Errno::NoDeviceOrAddress;
      return port;
    }
    default:
      return Errno::NoDeviceOrAddress;
  }
}

Result<RefPtr<FileSystem>> create() {
  RefPtr<FileSystem> fs = TRY(make_tmpfs(0, 0755));
  const RefPtr<Inode> root = TRY(fs->root());
  LockGuard guard(root->lock);
  for (const Node& node : kNodes) {
    if (node.type == FileType::kSymlink)
      TRY(root->symlink(node.name, node.target, 0, 0));
    else
      TRY(root->create(node.name, node.type, node.mode, 0, 0, node.device));
  }
  set_device_opener(open_device);
  return fs;
}

}  // namespace uni::fs::devfs
