// SPDX-License-Identifier: Apache-2.0
// The ready list. A waker pushes an item on a lock-free stack, once: `queued` says that it is there or on the ready
// list. A look at what is ready goes through the ready list only, so it costs what is ready, not what is watched. A
// level-triggered item stays on the list until a look finds it not ready; then `queued` is cleared before the file is
// asked once more, so that a wake-up in between is either seen by that second look or queues the item again.
#include "kernel/fs/epoll.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/base/format.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/anonymous.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs {

namespace {

constexpr u32 kPrivateBits = kEpollExclusive | kEpollWakeUp | kEpollOneShot | kEpollEdge;
constexpr u32 kAlways = kPollErr | kPollHup;
constexpr unsigned kMostNested = 4;  // Linux's EP_MAX_NESTS
constexpr usize kFirstBuckets = 8;
constexpr usize kBatch = 32;

// Guards all File::epoll_items chains. Held for a few instructions.
constinit SpinLock links_lock{Rank::kLeaf};
// Two additions of epoll instances at once could make a cycle that neither sees.
constinit Mutex nesting_mutex;

void link_to_file(EpollItem& item) {
  LockGuard guard(links_lock);
  item.next_of_file = item.file.epoll_items.load(std::memory_order_relaxed);
  item.file.epoll_items.store(&item, std::memory_order_relaxed);
}

void unlink_from_file(EpollItem& item) {
  LockGuard guard(links_lock);
  EpollItem* at = item.file.epoll_items.load(std::memory_order_relaxed);
  if (at == &item) {
    item.file.epoll_items.store(item.next_of_file, std::memory_order_relaxed);
    return;
  }
  while (at->next_of_file != &item)
    at = at->next_of_file;
  at->next_of_file = item.next_of_file;
}

// How many epoll instances stand above one. Needs: links_lock.
unsigned depth_above(const File& file, unsigned limit) {
  unsigned deepest = 0;
  if (limit == 0) return 0;
  for (EpollItem* item = file.epoll_items.load(std::memory_order_relaxed); item != nullptr; item = item->next_of_file)
    deepest = max(deepest, 1 + depth_above(item->ep, limit - 1));
  return deepest;
}

}  // namespace

bool EpollItem::on_wake(Waiter& w, u32) {
  // SAFETY: the waiter is the item's first member.
  EpollItem& item = reinterpret_cast<EpollItem&>(w);
  Epoll& ep = item.ep;
  if (!item.queued.load(std::memory_order_relaxed) && !item.queued.exchange(true, std::memory_order_seq_cst)) {
    EpollItem* head = ep.incoming_.load(std::memory_order_relaxed);
    do {
      item.next_incoming = head;
    } while (!ep.incoming_.compare_exchange_weak(head, &item, std::memory_order_seq_cst));
  }
  if (!ep.queue_.has_waiters()) return false;
  ep.queue_.wake_one(kPollIn | kPollRdNorm);
  return true;
}

Epoll::~Epoll() {
  for (usize i = 0; i < bucket_count_; ++i) {
    while (EpollItem* item = buckets_[i]) {
      buckets_[i] = item->hash_next;
      // While the item is linked to it the file cannot die, and after this no waker sees the item.
      if (item->waiter.queue != nullptr) item->waiter.queue->remove(item->waiter);
      unlink_from_file(*item);
      delete item;
    }
  }
  delete[] buckets_;
}

EpollItem** Epoll::bucket(int fd) const {
  return &buckets_[static_cast<u32>(fd) & (bucket_count_ - 1)];
}

EpollItem* Epoll::find(const File& file, int fd) const {
  if (bucket_count_ == 0) return nullptr;
  EpollItem* item = *bucket(fd);
  while (item != nullptr && (item->fd != fd || &item->file != &file))
    item = item->hash_next;
  return item;
}

Result<void> Epoll::grow() {
  const usize wanted = bucket_count_ == 0 ? kFirstBuckets : bucket_count_ * 4;
  auto** fresh = new (std::nothrow) EpollItem*[wanted]();
  if (fresh == nullptr) return Errno::NoMemory;
  EpollItem** old = exchange(buckets_, fresh);
  const usize old_count = exchange(bucket_count_, wanted);
  for (usize i = 0; i < old_count; ++i) {
    while (EpollItem* item = old[i]) {
      old[i] = item->hash_next;
      item->hash_next = *bucket(item->fd);
      *bucket(item->fd) = item;
    }
  }
  delete[] old;
  return {};
}

// Takes what wakers pushed over into the ready list, oldest first.
void Epoll::drain() {
  if (incoming_.load(std::memory_order_relaxed) == nullptr) return;
  EpollItem* newest = incoming_.exchange(nullptr, std::memory_order_seq_cst);
  EpollItem* oldest = nullptr;
  while (newest != nullptr) {
    EpollItem* next = newest->next_incoming;
    newest->next_incoming = oldest;
    oldest = newest;
    newest = next;
  }
  for (; oldest != nullptr; oldest = oldest->next_incoming)
    push_ready(*oldest);
}

void Epoll::push_ready(EpollItem& item) {
  ready_.push_back(item);
  ready_count_.store(ready_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Epoll::drop_ready(EpollItem& item) {
  List<EpollItem, &EpollItem::ready_node>::remove(item);
  ready_count_.store(ready_count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

// Asks the file; queues the item where it is ready.
u32 Epoll::look(EpollItem& item) {
  const u32 found = item.file.poll() & item.interest();
  if (found != 0 && !item.queued.exchange(true, std::memory_order_seq_cst)) push_ready(item);
  return found;
}

Result<void> Epoll::add(File& file, int fd, u32 events, u64 data) {
  WaitQueue* file_queue = file.poll_queue();
  if (file_queue == nullptr) return Errno::NotPermitted;
  const bool nested = file.kind() == FileKind::kEpoll;
  if (nested) {
    if (&file == this) return Errno::Invalid;
    nesting_mutex.lock();
  }
  ScopeGuard unlock_nesting([&] {
    if (nested) nesting_mutex.unlock();
  });
  if (nested) {
    const unsigned below = TRY(static_cast<Epoll&>(file).depth_below(0, *this));
    LockGuard guard(links_lock);
    if (below + 1 + depth_above(*this, kMostNested + 1) > kMostNested) return Errno::Loop;
  }

  OwnPtr<EpollItem> fresh = TRY(make_own<EpollItem>(*this, file, fd));
  EpollItem& item = *fresh;
  item.events = events;
  item.data = data;
  item.waiter.interest = (events & ~kPrivateBits) | kAlways;
  item.waiter.exclusive = (events & kEpollExclusive) != 0;
  LockGuard guard(lock_);
  if (find(file, fd) != nullptr) return Errno::Exists;
  if (item_count_ >= bucket_count_ * 2) TRY(grow());
  ++item_count_;
  if (nested) ++nested_count_;
  item.hash_next = *bucket(fd);
  *bucket(fd) = fresh.release();
  link_to_file(item);
  file_queue->add(item.waiter);
  if (look(item) != 0) queue_.wake_one(kPollIn | kPollRdNorm);
  return {};
}

Result<void> Epoll::modify(File& file, int fd, u32 events, u64 data) {
  LockGuard guard(lock_);
  EpollItem* item = find(file, fd);
  if (item == nullptr) return Errno::NoEntry;
  if (((item->events | events) & kEpollExclusive) != 0) return Errno::Invalid;
  item->events = events;
  item->data = data;
  item->waiter.interest = (events & ~kPrivateBits) | kAlways;
  if (look(*item) != 0) queue_.wake_one(kPollIn | kPollRdNorm);
  return {};
}

// Takes an item out of everything. Needs: lock_. The caller deletes it.
void Epoll::unlink(EpollItem& item) {
  if (item.waiter.queue != nullptr) item.waiter.queue->remove(item.waiter);
  drain();
  if (item.ready_node.linked()) drop_ready(item);
  EpollItem** at = bucket(item.fd);
  while (*at != &item)
    at = &(*at)->hash_next;
  *at = item.hash_next;
  --item_count_;
  if (item.file.kind() == FileKind::kEpoll) --nested_count_;
  unlink_from_file(item);
}

Result<void> Epoll::remove(File& file, int fd) {
  EpollItem* item = nullptr;
  {
    LockGuard guard(lock_);
    item = find(file, fd);
    if (item == nullptr) return Errno::NoEntry;
    unlink(*item);
  }
  delete item;
  return {};
}

void Epoll::forget(EpollItem& item) {
  {
    LockGuard guard(lock_);
    unlink(item);
  }
  delete &item;
}

// At most `budget` items are looked at over all calls of one wait, so that level-triggered ones, which go to the end of
// the list, come once.
usize Epoll::collect(EpollEvent* out, usize capacity, usize* budget) {
  LockGuard guard(lock_);
  drain();
  usize count = 0;
  usize left = min(*budget, ready_count_.load(std::memory_order_relaxed));
  *budget = left;
  while (left > 0 && count < capacity) {
    EpollItem* item = ready_.front();
    if (item == nullptr) break;
    --left;
    const u32 interest = item->interest();
    u32 found = 0;
    if ((item->events & (kEpollEdge | kEpollOneShot)) == 0) {
      found = item->file.poll() & interest;
      if (found != 0 && ready_.back() != item) {
        List<EpollItem, &EpollItem::ready_node>::remove(*item);
        ready_.push_back(*item);
      }
    }
    if (found == 0) {
      drop_ready(*item);
      item->queued.store(false, std::memory_order_seq_cst);
      found = item->file.poll() & interest;
      if (found == 0) continue;
      if ((item->events & kEpollOneShot) != 0) {
        item->events &= kPrivateBits;
        item->waiter.interest = 0;
      } else if ((item->events & kEpollEdge) == 0 && !item->queued.exchange(true, std::memory_order_seq_cst)) {
        push_ready(*item);
      }
    }
    out[count++] = {found, item->data};
  }
  *budget = left;
  // Others who wait may have something left to take, as with Linux.
  if (count != 0 && queue_.has_waiters() && something_ready()) queue_.wake_one(kPollIn | kPollRdNorm);
  return count;
}

Result<usize> Epoll::wait(usize capacity, u64 deadline, Take take, void* context) {
  EpollEvent batch[kBatch];
  for (bool last = deadline == 0;;) {
    usize total = 0;
    usize budget = ~usize{0};
    while (something_ready() && total < capacity && budget != 0) {
      const usize count = collect(batch, min(capacity - total, kBatch), &budget);
      if (count == 0) break;
      const Result<void> taken = take(context, batch, count);
      if (!taken.ok()) {
        if (total == 0) return taken.error();
        return total;
      }
      total += count;
    }
    if (total != 0 || last) return total;
    switch (queue_.wait([this] { return something_ready(); }, deadline, Sleep::kInterruptible, true)) {
      case Wake::kReady:
        break;
      case Wake::kTimedOut:
        last = true;
        break;
      case Wake::kSignal:
        return Errno::Interrupted;
    }
  }
}

u32 Epoll::poll() {
  if (!something_ready()) return 0;
  LockGuard guard(lock_);
  drain();
  while (EpollItem* item = ready_.front()) {
    if ((item->file.poll() & item->interest()) != 0) return kPollIn | kPollRdNorm;
    drop_ready(*item);
    item->queued.store(false, std::memory_order_seq_cst);
    if (look(*item) != 0) return kPollIn | kPollRdNorm;
  }
  return 0;
}

// How many levels of epoll instances lie below this one. Errors: Loop (too many, or `target` is among them). Needs:
// nesting_mutex, so that the levels only become fewer.
Result<unsigned> Epoll::depth_below(unsigned depth, const Epoll& target) {
  if (this == &target || depth > kMostNested) return Errno::Loop;
  if (nested_count_ == 0) return 0u;
  Vector<RefPtr<Epoll>> below;
  TRY(below.reserve(nested_count_));
  {
    LockGuard guard(lock_);
    for (usize i = 0; i < bucket_count_; ++i) {
      for (EpollItem* item = buckets_[i]; item != nullptr; item = item->hash_next) {
        if (item->file.kind() == FileKind::kEpoll && below.size() < nested_count_ && item->file.try_ref())
          (void)below.push(RefPtr<Epoll>::adopt(static_cast<Epoll*>(&item->file))).ok();  // reserved above
      }
    }
  }
  unsigned deepest = 0;
  for (const RefPtr<Epoll>& one : below)
    deepest = max(deepest, 1 + TRY(one->depth_below(depth + 1, target)));
  return deepest;
}

// A line for each watched file. Nothing is asked of a file under the lock.
void Epoll::describe_info(Writer& out) {
  struct Line {
    RefPtr<File> file;
    int fd;
    u32 events;
    u64 data;
  };
  Vector<Line> lines;
  {
    LockGuard guard(lock_);
    if (!lines.reserve(item_count_).ok()) return;
    for (usize i = 0; i < bucket_count_; ++i) {
      for (const EpollItem* item = buckets_[i]; item != nullptr; item = item->hash_next) {
        if (!item->file.try_ref()) continue;  // it is dying
        const u32 events = (item->events & kPrivateBits) | item->interest();
        MUST(lines.push({RefPtr<File>::adopt(&item->file), item->fd, events, item->data}));  // room was reserved
      }
    }
  }
  for (const Line& line : lines) {
    Stat st;
    if (!line.file->stat(st).ok()) st = Stat{};
    format(out, "tfd: {:>8} events: {:>8x} data: {:>16x}  pos:{} ino:{:x} sdev:{:x}\n", line.fd, line.events, line.data,
           line.file->position, st.inode, (st.device >> 8) << 20 | (st.device & 0xff));
  }
}

usize Epoll::describe(Span<char> out) {
  return describe_anonymous("[eventpoll]", out);
}

void epoll_file_dying(File& file) {
  for (;;) {
    EpollItem* item = nullptr;
    bool alive = false;
    {
      LockGuard guard(links_lock);
      item = file.epoll_items.load(std::memory_order_relaxed);
      if (item == nullptr) return;
      alive = item->ep.try_ref();
    }
    if (!alive) {
      // The instance is being destroyed on another processor and takes its items away itself, without blocking.
      arch::cpu_relax();
      continue;
    }
    Epoll& ep = item->ep;
    ep.forget(*item);
    ep.unref();
  }
}

}  // namespace uni::fs
