// SPDX-License-Identifier: Apache-2.0
// epoll(7) instances, built on File::poll() and File::poll_queue() only.
#pragma once

#include "kernel/fs/file.hpp"

namespace uni::fs {

// What epoll_ctl(2) sets and epoll_wait(2) gives, besides PollBits.
enum EpollFlag : u32 {
  kEpollExclusive = 1u << 28,
  kEpollWakeUp = 1u << 29,
  kEpollOneShot = 1u << 30,
  kEpollEdge = 1u << 31,
};

struct EpollEvent {
  u32 events;
  u64 data;
};

class Epoll;

// A watched (file, descriptor number) pair. The file is borrowed: it takes its items away before it dies.
struct EpollItem {
  EpollItem(Epoll& owner, File& watched, int number) : waiter(on_wake), ep(owner), file(watched), fd(number) {}
  static bool on_wake(Waiter& waiter, u32 events);
  // The events to look for; none when a one-shot item has fired.
  u32 interest() const { return waiter.interest; }

  Waiter waiter;  // first: on_wake finds the item by it
  Epoll& ep;
  File& file;
  int fd;
  u32 events = 0;
  u64 data = 0;
  ListNode ready_node;              // in Epoll::ready_
  std::atomic<bool> queued{false};  // on the incoming stack or the ready list
  EpollItem* next_incoming = nullptr;
  EpollItem* hash_next = nullptr;
  EpollItem* next_of_file = nullptr;  // File::epoll_items; under the links lock
};

class Epoll final : public File {
 public:
  explicit Epoll(u32 open_flags) : File(FileKind::kEpoll, open_flags) {}

  // epoll_ctl(2)'s three. `file` is what `fd` means now; the caller holds a reference. Errors: add: Exists,
  // NotPermitted (it cannot be polled), Loop, Invalid (itself), NoMemory; the others: NoEntry, modify: Invalid
  // (exclusive). May block where `file` is itself an epoll instance.
  Result<void> add(File& file, int fd, u32 events, u64 data);
  Result<void> modify(File& file, int fd, u32 events, u64 data);
  Result<void> remove(File& file, int fd);

  // Waits until something is ready, the deadline passes or a signal comes, and calls take(context, events, count) with
  // what is ready, at most `capacity` altogether, in pieces, no lock held; take may touch user memory. Gives the number
  // taken. A deadline of 0 does not wait. Errors: Interrupted, and take's when it refused the first piece.
  using Take = Result<void> (*)(void* context, const EpollEvent* events, usize count);
  Result<usize> wait(usize capacity, u64 deadline, Take take, void* context);

  u32 poll() override;
  WaitQueue* poll_queue() override { return &queue_; }
  usize describe(Span<char> out) override;
  void describe_info(Writer& out) override;

  // Lets go of an item of a dying file. For epoll_file_dying.
  void forget(EpollItem& item);

 private:
  friend struct EpollItem;
  ~Epoll() override;
  EpollItem* find(const File& file, int fd) const;
  EpollItem** bucket(int fd) const;
  Result<void> grow();
  void unlink(EpollItem& item);
  void drain();
  void push_ready(EpollItem& item);
  void drop_ready(EpollItem& item);
  u32 look(EpollItem& item);
  usize collect(EpollEvent* out, usize capacity, usize* budget);
  bool something_ready() const {
    return ready_count_.load(std::memory_order_relaxed) != 0 || incoming_.load(std::memory_order_seq_cst) != nullptr;
  }
  Result<unsigned> depth_below(unsigned depth, const Epoll& target);

  SpinLock lock_{Rank::kEpoll};  // all below but incoming_ and queue_
  EpollItem** buckets_ = nullptr;
  usize bucket_count_ = 0;
  usize item_count_ = 0;
  usize nested_count_ = 0;  // items that are epoll instances
  List<EpollItem, &EpollItem::ready_node> ready_;
  std::atomic<usize> ready_count_{0};
  // Pushed by wakers, who may hold no lock of rank kEpoll; taken over into ready_ under lock_.
  std::atomic<EpollItem*> incoming_{nullptr};
  WaitQueue queue_{Rank::kWaitQueueInner};
};

}  // namespace uni::fs
