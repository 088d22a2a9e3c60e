// SPDX-License-Identifier: Apache-2.0
// The engine of io_uring: entries become requests, chains and drains are heeded, results are posted. A request is tried
// at once by the thread that submits it; what would wait is armed on its file's poll queue or on a timer, and tried
// again by a thread that waits in io_uring_enter, or by the ring's worker where none does. docs/IO_URING.md.
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kAlways = fs::kPollErr | fs::kPollHup;
constexpr u32 kMostOverflow = 65536;

u32 load(const u32& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
void store(u32& word, u32 value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

u32 length_of(const UringRequest* chain) {
  u32 length = 0;
  for (; chain != nullptr; chain = chain->link.get())
    length += chain->link_timeout ? 2 : 1;
  return length;
}

}  // namespace

UringRequest::UringRequest(Uring& owner, const abi::UringSqe& entry)
    : ring(owner),
      sqe(entry),
      waiter(*this),
      timer(
          [](time::Timer&, void* context) {
            UringRequest& request = *static_cast<UringRequest*>(context);
            request.fired.store(true, std::memory_order_seq_cst);
            request.kick();
          },
          this) {}

bool UringRequest::FileWaiter::on_wake(Waiter& waiter, u32) {
  static_cast<FileWaiter&>(waiter).owner.kick();
  return false;
}

// The request lives: it is armed, and who ends it first takes it off its queue and timer.
void UringRequest::kick() {
  if (queued.exchange(true, std::memory_order_seq_cst)) return;
  ref();
  ring.push_incoming(*this);
}

void Uring::push_incoming(UringRequest& request) {
  UringRequest* head = incoming_.load(std::memory_order_relaxed);
  do {
    request.next_incoming = head;
  } while (!incoming_.compare_exchange_weak(head, &request, std::memory_order_seq_cst));
  notify_work();
}

void Uring::notify_work() {
  if (waiting_callers_.load(std::memory_order_seq_cst) != 0)
    caller_queue_.wake_all();
  else
    worker_queue_.wake_all();
}

// Takes the entry at a place of the ring. What is wrong with it is told when it is executed.
Result<UringRequestPtr> Uring::take_entry(u32 index) {
  abi::UringSqe entry;
  __builtin_memcpy(&entry, memory_->entries(usize{index} * sizeof entry), sizeof entry);
  return make_ref<UringRequest>(*this, entry);
}

Result<u32> Uring::submit(u32 most) {
  LockGuard submitting(submit_lock_);
  const u32 tail = load(rings().sq_tail);
  most = min(min(most, tail - sq_head_), sq_entries_);
  u32 done = 0;
  UringRequestPtr head;
  UringRequest* last = nullptr;
  Errno failure{};
  while (done < most) {
    const usize slot = sizeof(abi::UringRings) + usize{sq_head_ & (sq_entries_ - 1)} * sizeof(u32);
    const u32 index = load(*reinterpret_cast<u32*>(memory_->ring(slot)));
    store(rings().sq_head, ++sq_head_);
    if (index >= sq_entries_) {
      store(rings().sq_dropped, rings().sq_dropped + 1);
      break;
    }
    Result<UringRequestPtr> taken = take_entry(index);
    if (!taken.ok()) {
      failure = taken.error();
      break;
    }
    ++done;
    UringRequestPtr request = taken.take();
    const bool goes_on = request->has_link();
    const bool bad = request->sqe.opcode >= abi::kOpLast || (request->sqe.flags & 0x80) != 0;
    UringRequest* added = request.get();
    if (last != nullptr && request->sqe.opcode == abi::kOpLinkTimeout) {
      request->watched = last;
      last->link_timeout = uni::move(request);
      added = last;
    } else if (last != nullptr) {
      last->link = uni::move(request);
    } else {
      head = uni::move(request);
    }
    last = added;
    if (goes_on && !bad) continue;
    last = nullptr;
    start_chain(uni::move(head));
    if (bad && (flags_ & abi::kSetupSubmitAll) == 0) break;
  }
  if (head) start_chain(uni::move(head));
  process_work();
  return done == 0 && failure != Errno{} ? Result<u32>(failure) : Result<u32>(done);
}

// Runs a chain, unless it must wait for what came before (IOSQE_IO_DRAIN, and all that comes after such a one).
void Uring::start_chain(UringRequestPtr head) {
  {
    LockGuard guard(lock_);
    if (!deferred_.empty() || ((head->sqe.flags & abi::kSqeDrain) != 0 && active_ != 0)) {
      deferred_.push_back(*head.leak());
      return;
    }
    active_ += length_of(head.get());
  }
  if ((head->sqe.flags & abi::kSqeAsync) != 0 && ensure_worker().ok()) {
    // Asked to be done by the worker: looked at as if its file had woken it.
    {
      LockGuard guard(lock_);
      pending_.push_back(*head);
      head->ref();
      head->pending = true;
      head->state = UringRequest::State::kWaiting;
    }
    head->kick();
    return;
  }
  run(uni::move(head));
}

void Uring::start_deferred() {
  for (;;) {
    UringRequestPtr head;
    {
      LockGuard guard(lock_);
      deferred_ready_.store(false);
      if (deferred_.empty() || active_ != 0) return;
      head = UringRequestPtr::adopt(deferred_.pop_front());
      active_ += length_of(head.get());
      if (!deferred_.empty()) deferred_ready_.store(true);
    }
    run(uni::move(head));
  }
}

void Uring::run(UringRequestPtr request) {
  while (request) {
    bool cancelled = false;
    {
      LockGuard guard(lock_);
      cancelled = request->cancelled;
    }
    UringOutcome outcome = cancelled ? UringOutcome::failed(Errno::Canceled) : execute(*request);
    if (outcome.waits && !ensure_worker().ok()) outcome = UringOutcome::failed(Errno::NoMemory);
    if (outcome.waits) {
      if (arm(*request, outcome.bits)) return;
      continue;
    }
    request = complete(*request, outcome);
    end_counted_timeouts();
  }
}

// Leaves a request until its file or its timer wakes it. False where it is to be tried again at once.
bool Uring::arm(UringRequest& request, u32 bits) {
  bool first = false;
  bool again = false;
  {
    LockGuard guard(lock_);
    if (closing_) request.cancelled = true;
    if (request.cancelled) return false;
    first = !request.pending;
    if (first) {
      pending_.push_back(request);
      request.ref();
      request.pending = true;
    }
    request.state = UringRequest::State::kWaiting;
    again = exchange(request.again, false);
  }
  if (request.deadline != time::kNever && !request.fired.load() && !request.timer.armed())
    request.timer.arm(request.deadline);
  if (bits != 0) {
    request.waiter.interest = bits | kAlways;
    if (request.waiter.queue == nullptr) {
      if (WaitQueue* queue = request.file->poll_queue()) queue->add(request.waiter);
    }
  }
  if (request.link_timeout && !request.link_timeout->pending) run(request.link_timeout);
  // A poll that stays looks at what happens from now on only; others would miss what came before they were queued.
  const bool stays = request.sqe.opcode == abi::kOpPollAdd && (request.sqe.length & abi::kPollAddMulti) != 0;
  if (bits != 0 && (!stays || first) && (request.file->poll() & request.waiter.interest) != 0) again = true;
  return !(again && claim(request));
}

// One thread gets a waiting request.
bool Uring::claim(UringRequest& request) {
  LockGuard guard(lock_);
  if (request.state == UringRequest::State::kRunning) request.again = true;
  if (request.state != UringRequest::State::kWaiting) return false;
  request.state = UringRequest::State::kRunning;
  return true;
}

void Uring::put_result(u64 user_data, i64 result, u32 flags, bool counts) {
  RefPtr<fs::File> eventfd;
  {
    LockGuard guard(lock_);
    const abi::UringCqe cqe{user_data, static_cast<i32>(result), flags};
    if (overflow_.empty() && ready_results() < cq_entries_) {
      const usize array = align_up(sizeof(abi::UringRings) + usize{sq_entries_} * sizeof(u32), 64);
      const usize slot = array + usize{cq_tail_ & (cq_entries_ - 1)} * sizeof cqe;
      __builtin_memcpy(memory_->ring(slot), &cqe, sizeof cqe);
      store(rings().cq_tail, ++cq_tail_);
    } else if (auto* kept = overflow_count_ < kMostOverflow ? new (std::nothrow) Overflow : nullptr) {
      kept->cqe = cqe;
      overflow_.push_back(*kept);
      ++overflow_count_;
      __atomic_fetch_or(&rings().sq_flags, abi::kSqCqOverflow, __ATOMIC_RELEASE);
    } else {
      store(rings().cq_overflow, rings().cq_overflow + 1);
    }
    eventfd = eventfd_;
  }
  if (counts) posted_.fetch_add(1, std::memory_order_relaxed);
  caller_queue_.wake_all();
  poll_queue_.wake_all(kReadBits);
  if (!eventfd) return;
  const u64 one = 1;
  IoCursor cursor = IoCursor::kernel(&one, sizeof one);
  cursor.set_no_wait();
  (void)eventfd->write(cursor, 0).ok();  // a full counter is told already
}

void Uring::flush_overflow() {
  if ((load(rings().sq_flags) & abi::kSqCqOverflow) == 0) return;
  for (;;) {
    Overflow* oldest = nullptr;
    {
      LockGuard guard(lock_);
      if (overflow_.empty()) __atomic_fetch_and(&rings().sq_flags, ~u32{abi::kSqCqOverflow}, __ATOMIC_RELEASE);
      if (overflow_.empty() || ready_results() >= cq_entries_) return;
      oldest = overflow_.pop_front();
      --overflow_count_;
      const usize array = align_up(sizeof(abi::UringRings) + usize{sq_entries_} * sizeof(u32), 64);
      const usize slot = array + usize{cq_tail_ & (cq_entries_ - 1)} * sizeof oldest->cqe;
      __builtin_memcpy(memory_->ring(slot), &oldest->cqe, sizeof oldest->cqe);
      store(rings().cq_tail, ++cq_tail_);
    }
    delete oldest;
  }
}

// A head that the program has put beyond the tail counts as a full ring.
u32 Uring::ready_results() const {
  return min(cq_tail_ - load(rings().cq_head), cq_entries_);
}

void Uring::cancel_link_timeout(UringRequest& request) {
  const UringRequestPtr timeout = uni::move(request.link_timeout);
  if (!timeout) return;
  bool ends = false;
  {
    LockGuard guard(lock_);
    timeout->watched = nullptr;
    const bool never_started = timeout->state == UringRequest::State::kRunning && !timeout->pending;
    ends = timeout->state == UringRequest::State::kWaiting || never_started;
    if (ends) timeout->state = UringRequest::State::kRunning;
  }
  if (ends) (void)complete(*timeout, UringOutcome::failed(Errno::Canceled));
}

void Uring::cancel_chain(UringRequestPtr first) {
  while (first) {
    UringRequestPtr next = uni::move(first->link);
    (void)complete(*first, UringOutcome::failed(Errno::Canceled));
    first = uni::move(next);
  }
}

UringRequestPtr Uring::complete(UringRequest& request, const UringOutcome& outcome) {
  const UringRequestPtr keep(&request);
  bool listed = false;
  {
    LockGuard guard(lock_);
    request.state = UringRequest::State::kDone;
    listed = exchange(request.pending, false);
    if (listed) pending_.remove(request);
  }
  if (listed) request.unref();
  if (request.waiter.queue != nullptr) request.waiter.queue->remove(request.waiter);
  (void)request.timer.cancel();
  cancel_link_timeout(request);
  const bool timeout = request.sqe.opcode == abi::kOpTimeout || request.sqe.opcode == abi::kOpLinkTimeout;
  if (request.sqe.opcode == abi::kOpTimeout && request.sqe.offset != 0 && request.deadline != time::kNever)
    counted_timeouts_.fetch_sub(1);
  const bool skipped = (request.sqe.flags & abi::kSqeCqeSkip) != 0 && !outcome.breaks_chain;
  if (!skipped) put_result(request.sqe.user_data, outcome.result, 0, !timeout);
  UringRequestPtr next = uni::move(request.link);
  if (outcome.breaks_chain && (request.sqe.flags & abi::kSqeHardLink) == 0) cancel_chain(exchange(next, nullptr));
  request.file = nullptr;
  LockGuard guard(lock_);
  --active_;
  if (active_ == 0 && !deferred_.empty()) deferred_ready_.store(true);
  return next;
}

// TIMEOUTs that wait for a number of results.
void Uring::end_counted_timeouts() {
  while (counted_timeouts_.load() != 0) {
    UringRequestPtr found;
    {
      LockGuard guard(lock_);
      for (UringRequest& request : pending_) {
        if (request.sqe.opcode != abi::kOpTimeout || request.sqe.offset == 0) continue;
        if (request.state != UringRequest::State::kWaiting) continue;
        if (static_cast<i32>(posted() - request.target) < 0) continue;
        request.state = UringRequest::State::kRunning;
        found = UringRequestPtr(&request);
        break;
      }
    }
    if (!found) return;
    run(complete(*found, UringOutcome::done(0)));
  }
}

void Uring::process_work() {
  while (has_work()) {
    UringRequest* newest = incoming_.exchange(nullptr, std::memory_order_seq_cst);
    UringRequest* oldest = nullptr;
    while (newest != nullptr) {
      UringRequest* next = newest->next_incoming;
      newest->next_incoming = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest != nullptr) {
      UringRequestPtr request = UringRequestPtr::adopt(oldest);
      oldest = request->next_incoming;
      request->queued.store(false, std::memory_order_seq_cst);
      if (claim(*request)) run(uni::move(request));
    }
    if (deferred_ready_.load(std::memory_order_seq_cst)) start_deferred();
  }
}

Result<void> Uring::wait(u32 least, u64 deadline) {
  least = min(least, cq_entries_);
  waiting_callers_.fetch_add(1, std::memory_order_seq_cst);
  Result<void> outcome;
  for (;;) {
    process_work();
    flush_overflow();
    if (ready_results() >= least || closing_) break;
    const Wake woken = caller_queue_.wait([&] { return has_work() || ready_results() >= least || closing_; }, deadline);
    if (woken == Wake::kReady) continue;
    outcome = woken == Wake::kSignal ? Errno::Interrupted : Errno::TimerExpired;
    break;
  }
  waiting_callers_.fetch_sub(1, std::memory_order_seq_cst);
  if (has_work()) worker_queue_.wake_all();
  return outcome;
}

u32 Uring::poll() {
  u32 bits = 0;
  if (ready_results() != 0 || !overflow_.empty()) bits |= kReadBits;
  if (load(rings().sq_tail) - load(rings().sq_head) < sq_entries_) bits |= fs::kPollOut | fs::kPollWrNorm;
  return bits;
}

}  // namespace uni::shim
