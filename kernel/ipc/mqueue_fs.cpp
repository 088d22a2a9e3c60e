// SPDX-License-Identifier: Apache-2.0
// The file system of POSIX message queues: one sticky directory. mq_open and mq_unlink work on it directly, whether it
// is mounted or not; so its names are never remembered in the dentry cache.
#include "kernel/ipc/mqueue_fs.hpp"

#include "kernel/base/late.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/ipc/limits.hpp"
#include "kernel/ipc/mqueue.hpp"
#include "kernel/time/clock.hpp"

namespace uni::ipc {

namespace {
constexpr unsigned kCapSysResource = 24;
constexpr i64 kHardMessages = 65536, kHardSize = 16 * 1024 * 1024;
constexpr usize kLongestName = 255;

struct UserBytes {
  u32 uid;
  u64 bytes;
};
struct Charges {
  Vector<UserBytes> users;
};
Charges& charges() {  // needs charge_lock
  static constinit Late<Charges> made;
  return made.get();
}
constinit SpinLock charge_lock{Rank::kInode};

Result<void> charge(const Process& process, u64 bytes) {
  const u32 uid = process.credentials.uid;
  const u64 limit = process.limits[kLimitMessageQueue].soft;
  LockGuard guard(charge_lock);
  UserBytes* user = nullptr;
  for (UserBytes& u : charges().users) {
    if (u.uid == uid) user = &u;
  }
  if (user == nullptr) {
    TRY(charges().users.push({uid, 0}));
    user = &charges().users.back();
  }
  if (user->bytes + bytes < bytes || user->bytes + bytes > limit) return Errno::TooManyFiles;
  user->bytes += bytes;
  return {};
}

// What Linux counts: the messages' bytes and two small structures for each.
Result<u64> bytes_of(QueueShape shape) {
  constexpr u64 kMessageHeader = 48, kTreeNode = 48;
  const auto messages = static_cast<u64>(shape.messages);
  u64 total = 0;
  if (__builtin_mul_overflow(messages, static_cast<u64>(shape.size), &total)) return Errno::Overflow;
  return total + messages * kMessageHeader + min<u64>(messages, kPriorityMost) * kTreeNode;
}

Result<QueueShape> checked(const QueueShape* wanted, const Credentials& who) {
  if (wanted == nullptr) {
    return QueueShape{static_cast<i64>(min(limits.mq_messages.load(), limits.mq_default_messages.load())),
                      static_cast<i64>(min(limits.mq_message_size.load(), limits.mq_default_message_size.load()))};
  }
  const bool capable = who.capable(kCapSysResource);
  const i64 most = capable ? kHardMessages : static_cast<i64>(limits.mq_messages);
  const i64 largest = capable ? kHardSize : static_cast<i64>(limits.mq_message_size);
  if (wanted->messages <= 0 || wanted->size <= 0 || wanted->messages > most || wanted->size > largest)
    return Errno::Invalid;
  return *wanted;
}

class MqueueFs final : public fs::FileSystem {
 public:
  Result<RefPtr<fs::Inode>> root() override;
  StringView type_name() const override { return "mqueue"; }
  Result<fs::FsStat> stat() override {
    fs::FsStat s;
    s.type = 0x19800202;  // MQUEUE_MAGIC
    return s;
  }
  u64 device_number() const override { return 22; }
};

class Directory final : public fs::Inode {
 public:
  explicit Directory(fs::FileSystem& fs) : Inode(fs, fs::FileType::kDirectory, 1), changed_(time::realtime_ns()) {}

  Result<void> stat(fs::Stat& out) override {
    out.device = file_system().device_number();
    out.inode = number();
    out.mode = fs::mode_type_bits(type()) | 01777;
    out.links = 2;
    out.size = entries_.size() * 20;
    out.accessed = out.modified =
        out.changed = {static_cast<i64>(changed_ / time::kSecond), static_cast<u32>(changed_ % time::kSecond)};
    return {};
  }
  bool cacheable() const override { return false; }

  Result<RefPtr<fs::Inode>> lookup(StringView name) override {
    const usize i = index_of(name);
    if (i == entries_.size()) return Errno::NoEntry;
    return RefPtr<fs::Inode>(entries_[i].queue.get());
  }
  Result<RefPtr<PosixQueue>> find(StringView name) {
    const usize i = index_of(name);
    if (i == entries_.size()) return Errno::NoEntry;
    return RefPtr<PosixQueue>(entries_[i].queue);
  }
  Result<RefPtr<fs::Inode>> create(StringView name, fs::FileType type, u32 mode, u32, u32, u64) override {
    if (type != fs::FileType::kRegular) return Errno::NotPermitted;
    return RefPtr<fs::Inode>(TRY(make(name, mode, nullptr)).get());
  }
  // Needs `lock`.
  Result<RefPtr<PosixQueue>> make(StringView name, u32 mode, const QueueShape* wanted) {
    const Process& process = Process::current();
    const Credentials& who = process.credentials;
    if (entries_.size() >= limits.mq_queues && !who.capable(kCapSysResource)) return Errno::NoSpace;
    const QueueShape shape = TRY(checked(wanted, who));
    const u64 bytes = TRY(bytes_of(shape));
    Entry entry;
    entry.name = TRY(String::copy(name));
    TRY(entries_.reserve(entries_.size() + 1));
    TRY(charge(process, bytes));
    auto made = make_ref<PosixQueue>(file_system(), next_number_++, who, mode & 07777, shape, bytes);
    if (!made.ok()) {
      give_back_charge(who.uid, bytes);
      return made.error();
    }
    entry.queue = made.take();
    RefPtr<PosixQueue> result = entry.queue;
    TRY(entries_.push(uni::move(entry)));
    changed_ = time::realtime_ns();
    return result;
  }
  Result<void> unlink(StringView name, Inode&) override {
    const usize i = index_of(name);
    if (i == entries_.size()) return Errno::NoEntry;
    entries_.remove_at(i);
    changed_ = time::realtime_ns();
    return {};
  }
  Result<void> read_directory(u64 offset, fs::DirectorySink& sink) override {
    if (offset == 0 && !sink.entry(".", number(), fs::FileType::kDirectory, 1)) return {};
    if (offset <= 1 && !sink.entry("..", number(), fs::FileType::kDirectory, 2)) return {};
    for (usize i = offset < 2 ? 0 : offset - 2; i < entries_.size(); ++i) {
      const Entry& e = entries_[i];
      if (!sink.entry(e.name.view(), e.queue->number(), fs::FileType::kRegular, i + 3)) return {};
    }
    return {};
  }

 private:
  struct Entry {
    String name;
    RefPtr<PosixQueue> queue;
  };
  usize index_of(StringView name) const {
    usize i = 0;
    while (i < entries_.size() && !(entries_[i].name.view() == name))
      ++i;
    return i;
  }
  Vector<Entry> entries_;
  u64 next_number_ = 2;
  u64 changed_;
};

struct Made {
  RefPtr<MqueueFs> fs;
  RefPtr<Directory> root;
};
Made& made() {
  static constinit Late<Made> object;
  return object.get();
}
constinit SpinLock make_lock{Rank::kInode};

Result<RefPtr<Directory>> directory() {
  {
    LockGuard guard(make_lock);
    if (made().root) return RefPtr<Directory>(made().root);
  }
  RefPtr<MqueueFs> fs = TRY(make_ref<MqueueFs>());
  RefPtr<Directory> root = TRY(make_ref<Directory>(*fs));
  LockGuard guard(make_lock);
  if (!made().root) {
    made().fs = uni::move(fs);
    made().root = uni::move(root);
  }
  return RefPtr<Directory>(made().root);
}

Result<RefPtr<fs::Inode>> MqueueFs::root() {
  return RefPtr<fs::Inode>(TRY(directory()).get());
}

Result<void> check_name(StringView name) {
  if (name.empty()) return Errno::NoEntry;
  if (name.find('/') != StringView::kNotFound || name == "."_sv || name == ".."_sv) return Errno::Access;
  if (name.size() > kLongestName) return Errno::NameTooLong;
  return {};
}
}  // namespace

bool is_queue(const fs::Inode& inode) {
  LockGuard guard(make_lock);
  return made().fs.get() == &inode.file_system() && inode.type() == fs::FileType::kRegular;
}

void give_back_charge(u32 uid, u64 bytes) {
  LockGuard guard(charge_lock);
  for (UserBytes& u : charges().users) {
    if (u.uid == uid) u.bytes -= bytes;
  }
}

Result<RefPtr<fs::FileSystem>> mqueue_fs() {
  TRY(directory());
  LockGuard guard(make_lock);
  return RefPtr<fs::FileSystem>(made().fs.get());
}

Result<RefPtr<fs::File>> open_queue(StringView name, u32 flags, u32 mode, const QueueShape* shape) {
  TRY(check_name(name));
  Process& process = Process::current();
  RefPtr<Directory> root = TRY(directory());
  RefPtr<PosixQueue> queue;
  {
    LockGuard guard(root->lock);
    auto found = root->find(name);
    if (found.ok()) {
      queue = found.take();
    } else {
      if ((flags & fs::kOpenCreate) == 0) return Errno::NoEntry;
      queue = TRY(root->make(name, mode & ~Process::current_fs()->umask.load(std::memory_order_relaxed), shape));
      return queue->open(flags);
    }
  }
  if ((flags & (fs::kOpenCreate | fs::kOpenExclusive)) == (fs::kOpenCreate | fs::kOpenExclusive)) return Errno::Exists;
  const u32 access = flags & fs::kOpenAccessMask;
  if (access == fs::kOpenAccessMask) return Errno::Invalid;
  const u32 wanted =
      (access != fs::kOpenWriteOnly ? fs::kMayRead : 0) | (access != fs::kOpenReadOnly ? fs::kMayWrite : 0);
  TRY(fs::check_access(*queue, process.credentials, wanted));
  return queue->open(flags);
}

Result<void> unlink_queue(StringView name) {
  TRY(check_name(name));
  const Credentials& who = Process::current().credentials;
  RefPtr<Directory> root = TRY(directory());
  RefPtr<PosixQueue> gone;  // outlives the lock
  LockGuard guard(root->lock);
  gone = TRY(root->find(name));
  // The directory is root's, and sticky.
  if (who.fsuid != gone->uid() && who.fsuid != 0 && !who.capable(fs::kCapFowner)) return Errno::NotPermitted;
  return root->unlink(name, *gone);
}

}  // namespace uni::ipc
