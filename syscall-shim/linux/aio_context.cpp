// SPDX-License-Identifier: Apache-2.0
// The ring of results and the polls of an AIO context. A poll holds its context until it ends, and the context lists it
// without a reference; who ends it is settled by `done_`.
#include "syscall-shim/linux/aio_context.hpp"

namespace uni::shim {

namespace {

constexpr u32 kMostEvents = 65536;  // fs.aio-max-nr
constexpr u32 kEventsOfPage = static_cast<u32>(kPageSize / sizeof(abi::IoEvent));
std::atomic<u32> g_counted{0};

constexpr u32 kAlways = fs::kPollErr | fs::kPollHup;

}  // namespace

AioPoll::AioPoll(AioContext& context, RefPtr<fs::File> file, u32 wanted, const abi::Iocb& request, UserAddr at,
                 RefPtr<fs::File> eventfd)
    : waiter(*this),
      object(at),
      context_(&context),
      file_(uni::move(file)),
      eventfd_(uni::move(eventfd)),
      wanted_(wanted | kAlways),
      data_(request.data) {
  waiter.interest = wanted_;
}

bool AioPoll::FileWaiter::on_wake(Waiter& waiter, u32) {
  AioPoll& poll = static_cast<FileWaiter&>(waiter).owner;
  if (!poll.due_.exchange(true)) {
    poll.ref();  // for the run
    sched::defer(poll);
  }
  return false;
}

void AioPoll::run_deferred() {
  const RefPtr<AioPoll> own = RefPtr<AioPoll>::adopt(this);
  due_.store(false);
  (void)try_finish(false);
}

bool AioPoll::try_finish(bool forced) {
  const u32 found = file_->poll() & wanted_;
  if (found == 0 && !forced) return false;
  if (done_.exchange(true)) return true;
  if (waiter.queue != nullptr) waiter.queue->remove(waiter);
  const RefPtr<AioContext> context = uni::move(context_);
  {
    LockGuard guard(context->lock_);
    if (node.linked()) List<AioPoll, &AioPoll::node>::remove(*this);
  }
  context->finish(data_, object, static_cast<i64>(found), eventfd_.get());
  unref();  // the one that it was armed with
  return true;
}

Result<RefPtr<AioContext>> AioContext::create(u32 events, UserAddr id, u64 id_size) {
  constexpr u32 kHuge = 0x10000000u / sizeof(abi::IoEvent);
  if (events > kHuge) return Errno::Invalid;
  if (events > kMostEvents || g_counted.load() + events > kMostEvents) return Errno::Again;
  RefPtr<AioContext> context = TRY(make_ref<AioContext>(id, id_size, events));
  g_counted.fetch_add(events);
  // As many as fit into the pages that Linux would take for the ring.
  const usize pages = (usize{max<u32>(events, 4)} * 2 + 2 + kEventsOfPage - 1) / kEventsOfPage;
  TRY(context->ring_.resize(pages * kEventsOfPage - 1));
  return context;
}

AioContext::~AioContext() {
  g_counted.fetch_sub(counted_);
}

Result<void> AioContext::reserve() {
  LockGuard guard(lock_);
  if (closed_) return Errno::Invalid;
  if (count_ + reserved_ >= ring_.size()) return Errno::Again;
  ++reserved_;
  return {};
}

void AioContext::unreserve() {
  LockGuard guard(lock_);
  --reserved_;
}

void AioContext::finish(u64 data, UserAddr object, i64 result, fs::File* eventfd) {
  {
    LockGuard guard(lock_);
    --reserved_;
    ring_[(first_ + count_) % ring_.size()] = {data, raw(object), result, 0};
    ++count_;
  }
  queue_.wake_all(fs::kPollIn);
  if (eventfd == nullptr) return;
  const u64 one = 1;
  IoCursor cursor = IoCursor::kernel(&one, sizeof one);
  cursor.set_no_wait();
  (void)eventfd->write(cursor, 0).ok();  // a counter that is full stays full
}

void AioContext::add_poll(AioPoll& poll) {
  LockGuard guard(lock_);
  polls_.push_back(poll);
}

Result<void> AioContext::cancel(UserAddr object) {
  RefPtr<AioPoll> found;
  {
    LockGuard guard(lock_);
    for (AioPoll& poll : polls_) {
      if (poll.object != object || !poll.try_ref()) continue;
      found = RefPtr<AioPoll>::adopt(&poll);
      break;
    }
  }
  if (!found) return Errno::Invalid;
  (void)found->try_finish(true);
  return {};
}

void AioContext::close() {
  for (;;) {
    RefPtr<AioPoll> found;
    {
      LockGuard guard(lock_);
      closed_ = true;
      AioPoll* poll = polls_.front();
      if (poll == nullptr) break;
      List<AioPoll, &AioPoll::node>::remove(*poll);
      if (poll->try_ref()) found = RefPtr<AioPoll>::adopt(poll);
    }
    if (found) (void)found->try_finish(true);
  }
  queue_.wake_all();
}

usize AioContext::take_batch(abi::IoEvent* out, usize most) {
  LockGuard guard(lock_);
  const usize taken = min(most, count_);
  for (usize i = 0; i < taken; ++i) {
    out[i] = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
  }
  count_ -= taken;
  return taken;
}

Result<i64> AioContext::take(i64 least, i64 most, UserPtr<abi::IoEvent> to, u64 deadline) {
  constexpr usize kBatch = 16;
  i64 done = 0;
  for (;;) {
    while (done < most) {
      abi::IoEvent batch[kBatch];
      const usize count = take_batch(batch, min<usize>(kBatch, static_cast<usize>(most - done)));
      if (count == 0) break;
      const UserPtr<abi::IoEvent> at = to + static_cast<usize>(done);
      if (!copy_to_user(at.address(), batch, count * sizeof batch[0]).ok())
        return done != 0 ? Result<i64>(done) : Result<i64>(Errno::Fault);
      done += static_cast<i64>(count);
    }
    if (done >= least || done >= most || deadline == 0) return done;
    const Wake woken = queue_.wait(
        [&] {
          LockGuard guard(lock_);
          return count_ != 0 || closed_;
        },
        deadline);
    if (woken == Wake::kTimedOut) deadline = 0;
    if (woken == Wake::kSignal) return done != 0 ? Result<i64>(done) : Result<i64>(Errno::Interrupted);
    bool ended = false;
    {
      LockGuard guard(lock_);
      ended = closed_ && count_ == 0;
    }
    if (ended) return done != 0 ? Result<i64>(done) : Result<i64>(Errno::Invalid);
  }
}

Result<AioTable*> AioTable::of(mm::AddressSpace& space) {
  if (RefCounted* there = space.aio.load(std::memory_order_acquire)) return static_cast<AioTable*>(there);
  RefPtr<AioTable> made = TRY(make_ref<AioTable>());
  RefCounted* expected = nullptr;
  if (!space.aio.compare_exchange_strong(expected, made.get())) return static_cast<AioTable*>(expected);
  return made.leak();
}

Result<void> AioTable::add(RefPtr<AioContext> context) {
  LockGuard guard(lock_);
  return contexts_.push(uni::move(context));
}

Result<RefPtr<AioContext>> AioTable::find(UserAddr id, bool remove) {
  LockGuard guard(lock_);
  for (usize i = 0; i < contexts_.size(); ++i) {
    if (contexts_[i]->id() != id) continue;
    RefPtr<AioContext> found = contexts_[i];
    if (remove) contexts_.remove_at(i);
    return found;
  }
  return Errno::Invalid;
}

AioTable::~AioTable() {
  for (const RefPtr<AioContext>& context : contexts_)
    context->close();
}

}  // namespace uni::shim
