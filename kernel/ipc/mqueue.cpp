// SPDX-License-Identifier: Apache-2.0
// The queues themselves: messages in the order of their priority, who waits, who is told.
#include "kernel/ipc/mqueue.hpp"

#include "kernel/fs/permission.hpp"
#include "kernel/ipc/mqueue_fs.hpp"
#include "kernel/time/clock.hpp"

namespace uni::ipc {

namespace {
constexpr u64 kStatusSize = 80;  // FILENT_SIZE: what stat shows
constexpr u8 kWokenUp = 1, kRemoved = 2;

fs::Timespec to_timespec(u64 ns) {
  return {static_cast<i64>(ns / time::kSecond), static_cast<u32>(ns % time::kSecond)};
}

// A descriptor of a queue.
class QueueFile final : public fs::File {
 public:
  QueueFile(PosixQueue& queue, u32 flags) : File(fs::FileKind::kOther, flags), queue_(&queue) {}
  // The state of the queue in one line, as Linux shows it.
  Result<usize> read(IoCursor& to, u64 at) override {
    char text[kStatusSize];
    BufferWriter line(text);
    queue_->describe(line);
    const StringView rest = line.view().slice(at);
    return to.put(rest.data(), rest.size());
  }
  bool seekable() const override { return true; }
  u32 poll() override { return queue_->poll(); }
  WaitQueue* poll_queue() override { return &queue_->poll_queue(); }
  Result<void> stat(fs::Stat& out) override { return queue_->stat(out); }
  fs::Inode* inode() override { return queue_.get(); }
  void descriptor_closed(fs::FileTable& table) override { queue_->forget_notification(&table); }

 private:
  RefPtr<PosixQueue> queue_;
};
}  // namespace

Result<PosixQueue*> queue_of(fs::File& file) {
  // Nothing else opens the files of this file system.
  fs::Inode* inode = file.kind() == fs::FileKind::kOther ? file.inode() : nullptr;
  if (inode == nullptr || !is_queue(*inode)) return Errno::BadFd;
  return static_cast<PosixQueue*>(inode);
}

PosixQueue::PosixQueue(fs::FileSystem& fs, u64 number, const Credentials& who, u32 mode, QueueShape shape, u64 charge)
    : Inode(fs, fs::FileType::kRegular, number),
      shape_(shape),
      charge_(charge),
      uid_(who.fsuid),
      gid_(who.fsgid),
      mode_(mode),
      charged_uid_(who.uid) {
  accessed_ = modified_ = changed_ = time::realtime_ns();
}

PosixQueue::~PosixQueue() {
  while (Item* item = items_.pop_front())
    delete item;
  give_back_charge(charged_uid_, charge_);
}

Result<void> PosixQueue::stat(fs::Stat& out) {
  LockGuard guard(lock_);
  out.device = file_system().device_number();
  out.inode = number();
  out.mode = fs::mode_type_bits(type()) | mode_;
  out.uid = uid_;
  out.gid = gid_;
  out.size = kStatusSize;
  out.accessed = to_timespec(accessed_);
  out.modified = to_timespec(modified_);
  out.changed = to_timespec(changed_);
  return {};
}

Result<void> PosixQueue::set_attributes(const fs::SetAttr& change) {
  const auto ns = [](const fs::Timespec& t) { return static_cast<u64>(t.seconds) * time::kSecond + t.nanoseconds; };
  LockGuard guard(lock_);
  if ((change.which & fs::SetAttr::kMode) != 0) mode_ = change.mode & 07777;
  if ((change.which & fs::SetAttr::kUid) != 0) uid_ = change.uid;
  if ((change.which & fs::SetAttr::kGid) != 0) gid_ = change.gid;
  if ((change.which & fs::SetAttr::kAccessed) != 0) accessed_ = ns(change.accessed);
  if ((change.which & fs::SetAttr::kModified) != 0) modified_ = ns(change.modified);
  changed_ = time::realtime_ns();
  return {};
}

Result<RefPtr<fs::File>> PosixQueue::open(u32 flags) {
  return RefPtr<fs::File>(TRY(make_ref<QueueFile>(*this, flags)));
}

// False: the queue is full. `fired` is to be told after the lock.
bool PosixQueue::put(Item& item, Notification& fired) {
  LockGuard guard(lock_);
  if (count() >= static_cast<u64>(shape_.messages)) return false;
  Item* before = items_.back();
  while (before != nullptr && before->priority < item.priority)
    before = items_.prev(*before);
  Item* const after = before == nullptr ? items_.front() : items_.next(*before);
  if (after == nullptr)
    items_.push_back(item);
  else
    items_.insert_before(*after, item);
  bytes_ += item.text.size();
  modified_ = changed_ = time::realtime_ns();
  const u64 now = count_.fetch_add(1, std::memory_order_seq_cst) + 1;
  // A message that somebody waits for arrives in a queue that stays empty.
  if (now == 1 && notification_.owner && receiving_.load(std::memory_order_seq_cst) == 0)
    fired = exchange(notification_, Notification());
  return true;
}

PosixQueue::Item* PosixQueue::take() {
  LockGuard guard(lock_);
  Item* item = items_.pop_front();
  if (item == nullptr) return nullptr;
  bytes_ -= item->text.size();
  count_.fetch_sub(1, std::memory_order_seq_cst);
  accessed_ = changed_ = time::realtime_ns();
  return item;
}

void PosixQueue::tell(Notification& fired) {
  if (!fired.owner) return;
  if (fired.how == Notification::How::kSignal && fired.signal != 0) {
    constexpr int kFromQueue = -3;  // SI_MESGQ
    const Process& self = Process::current();
    signal::Info info;
    info.number = fired.signal;
    info.code = kFromQueue;
    info.pid = raw(self.pid());
    info.uid = self.credentials.uid;
    info.value = fired.value;
    signal::send(*fired.owner, info).take();  // the message has been sent in any case
  } else if (fired.how == Notification::How::kThread) {
    fired.cookie[kCookieSize - 1] = kWokenUp;
    fired.socket->deliver(fired.cookie, kCookieSize).take();
  }
}

Result<void> PosixQueue::send(Vector<char> text, u32 priority, u64 deadline, bool no_wait) {
  auto item = TRY(make_own<Item>());
  item->text = uni::move(text);
  item->priority = priority;
  Notification fired;
  if (!put(*item, fired)) {
    if (no_wait) return Errno::Again;
    const Wake woken = senders_.wait([&] { return put(*item, fired); }, deadline, Sleep::kInterruptible, true);
    if (woken == Wake::kTimedOut) return Errno::TimedOut;
    if (woken == Wake::kSignal) return Errno::RestartSys;
  }
  (void)item.release();
  receivers_.wake_one();
  poll_queue_.wake_all(fs::kPollIn | fs::kPollRdNorm);
  tell(fired);
  return {};
}

Result<PosixQueue::Received> PosixQueue::receive(u64 deadline, bool no_wait) {
  Item* item = take();
  if (item == nullptr) {
    if (no_wait) return Errno::Again;
    receiving_.fetch_add(1, std::memory_order_seq_cst);
    const Wake woken =
        receivers_.wait([&] { return (item = take()) != nullptr; }, deadline, Sleep::kInterruptible, true);
    receiving_.fetch_sub(1, std::memory_order_seq_cst);
    if (woken == Wake::kTimedOut) return Errno::TimedOut;
    if (woken == Wake::kSignal) return Errno::RestartSys;
  }
  senders_.wake_one();
  poll_queue_.wake_all(fs::kPollOut | fs::kPollWrNorm);
  Received got{uni::move(item->text), item->priority};
  delete item;
  return got;
}

Result<void> PosixQueue::notify(Notification wanted) {
  LockGuard guard(lock_);
  if (notification_.owner) return Errno::Busy;
  uni::swap(notification_, wanted);
  return {};
}

void PosixQueue::forget_notification(const fs::FileTable* files) {
  Notification gone;
  {
    LockGuard guard(lock_);
    if (!notification_.owner) return;
    const bool mine =
        files != nullptr ? notification_.files == files : notification_.owner.get() == &Process::current();
    if (!mine) return;
    gone = exchange(notification_, Notification());
  }
  if (gone.how != Notification::How::kThread) return;
  gone.cookie[kCookieSize - 1] = kRemoved;
  gone.socket->deliver(gone.cookie, kCookieSize).take();
}

u32 PosixQueue::poll() const {
  u32 bits = 0;
  if (count() > 0) bits |= fs::kPollIn | fs::kPollRdNorm;
  if (count() < static_cast<u64>(shape_.messages)) bits |= fs::kPollOut | fs::kPollWrNorm;
  return bits;
}

void PosixQueue::describe(Writer& out) {
  constexpr int kSigEvSignal = 0, kSigEvNone = 1, kSigEvThread = 2;
  LockGuard guard(lock_);
  const Notification& n = notification_;
  const int how = !n.owner                               ? 0
                  : n.how == Notification::How::kSignal  ? kSigEvSignal
                  : n.how == Notification::How::kNothing ? kSigEvNone
                                                         : kSigEvThread;
  format(out, "QSIZE:{:10} NOTIFY:{:5} SIGNO:{:5} NOTIFY_PID:{:6}\n", bytes_, how,
         n.owner && n.how == Notification::How::kSignal ? n.signal : 0, n.owner ? raw(n.owner->pid()) : 0);
}

}  // namespace uni::ipc
