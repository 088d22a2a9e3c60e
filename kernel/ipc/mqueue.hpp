// SPDX-License-Identifier: Apache-2.0
// POSIX message queues (mq_overview(7)): files of a file system of their own, which mount(2) can show (type mqueue). A
// queue is an inode; its descriptors are Files.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/base/list.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/net/netlink_socket.hpp"
#include "kernel/sched/process.hpp"

namespace uni::ipc {

inline constexpr u32 kPriorityMost = 32768;  // MQ_PRIO_MAX
inline constexpr usize kCookieSize = 32;     // NOTIFY_COOKIE_LEN

struct QueueShape {
  i64 messages, size;
};

// Whom a message in an empty queue is told to, once (mq_notify(3)).
struct Notification {
  enum class How : u8 { kNothing, kSignal, kThread };
  RefPtr<Process> owner;  // null: nobody
  fs::FileTable* files = nullptr;
  How how = How::kNothing;
  int signal = 0;
  u64 value = 0;
  // SIGEV_THREAD: the C library's helper thread reads the cookie from a netlink socket.
  RefPtr<net::NetlinkSocket> socket;
  u8 cookie[kCookieSize] = {};
};

class PosixQueue final : public fs::Inode {
 public:
  PosixQueue(fs::FileSystem& fs, u64 number, const Credentials& who, u32 mode, QueueShape shape, u64 charge);

  Result<void> stat(fs::Stat& out) override;
  Result<void> set_attributes(const fs::SetAttr& change) override;
  Result<RefPtr<fs::File>> open(u32 flags) override;

  QueueShape shape() const { return shape_; }
  u64 count() const { return count_.load(std::memory_order_relaxed); }
  u32 uid() const { return uid_; }
  // May block until the deadline (monotonic). Errors: Again, TimedOut, RestartSys.
  Result<void> send(Vector<char> text, u32 priority, u64 deadline, bool no_wait);
  struct Received {
    Vector<char> text;
    u32 priority;
  };
  Result<Received> receive(u64 deadline, bool no_wait);
  // Errors: Busy (another is registered).
  Result<void> notify(Notification wanted);
  // The current process's registration goes; `files`: only when it was made through that table.
  void forget_notification(const fs::FileTable* files);

  u32 poll() const;
  WaitQueue& poll_queue() { return poll_queue_; }
  void describe(Writer& out);

 private:
  struct Item {
    ListNode node;
    Vector<char> text;
    u32 priority = 0;
  };
  ~PosixQueue() override;
  bool put(Item& item, Notification& fired);
  Item* take();
  void tell(Notification& fired);

  SpinLock lock_{Rank::kPipe};
  List<Item, &Item::node> items_;  // the highest priority first
  QueueShape shape_;
  u64 charge_;
  std::atomic<u64> count_{0};
  u64 bytes_ = 0;
  std::atomic<u32> receiving_{0};  // threads that wait for a message
  Notification notification_;
  WaitQueue receivers_, senders_, poll_queue_;
  u32 uid_, gid_, mode_, charged_uid_;
  u64 accessed_, modified_, changed_;
};

// mq_open(2) before the descriptor. `shape` null: the default. Errors: NoEntry, Exists, Access, Invalid, NoSpace,
// TooManyFiles (RLIMIT_MSGQUEUE), NameTooLong, NoMemory.
Result<RefPtr<fs::File>> open_queue(StringView name, u32 flags, u32 mode, const QueueShape* shape);
// Errors: NoEntry, Access, NotPermitted, NameTooLong.
Result<void> unlink_queue(StringView name);
// The queue behind a File. Errors: BadFd.
Result<PosixQueue*> queue_of(fs::File& file);
// The file system, for mount(2). Errors: NoMemory.
Result<RefPtr<fs::FileSystem>> mqueue_fs();

}  // namespace uni::ipc
