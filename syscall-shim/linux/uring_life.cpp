// SPDX-License-Identifier: Apache-2.0
// A ring's memory, its worker, its end, and the cancellation of requests.
#include "kernel/arch/trap_frame.hpp"
#include "kernel/fs/anonymous.hpp"
#include "kernel/sched/thread_access.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u64 kCqRingPage = abi::kUringOffCqRing >> kPageShift;
constexpr u64 kEntriesPage = abi::kUringOffSqes >> kPageShift;

// The pages are the object's, so that a fault that maps one sees that it still is.
Result<void> fill(Vector<mm::Page*>& pages, usize bytes, mm::VmObject& object, u64 first_index) {
  TRY(pages.resize(page_up(bytes) >> kPageShift));
  for (usize i = 0; i < pages.size(); ++i) {
    pages[i] = mm::alloc_page(mm::Zero::kYes);
    if (pages[i] == nullptr) return Errno::NoMemory;
    pages[i]->object = &object;
    pages[i]->index = first_index + i;
  }
  return {};
}

u8* bytes_of(const Vector<mm::Page*>& pages, usize offset) {
  return static_cast<u8*>(mm::address_of(*pages[offset >> kPageShift])) + offset % kPageSize;
}

}  // namespace

Result<RefPtr<UringMemory>> UringMemory::create(u32 sq_entries, u32 cq_entries) {
  RefPtr<UringMemory> memory = TRY(make_ref<UringMemory>());
  const usize array = align_up(sizeof(abi::UringRings) + usize{sq_entries} * sizeof(u32), 64);
  TRY(fill(memory->rings_, array + usize{cq_entries} * sizeof(abi::UringCqe), *memory, 0));
  TRY(fill(memory->entries_, usize{sq_entries} * sizeof(abi::UringSqe), *memory, kEntriesPage));
  return memory;
}

UringMemory::~UringMemory() {
  for (Vector<mm::Page*>* pages : {&rings_, &entries_}) {
    for (mm::Page* page : *pages) {
      if (page == nullptr) continue;
      page->object = nullptr;
      mm::put_page(*page);
    }
  }
}

Result<mm::Page*> UringMemory::fault(u64 index, mm::Access) {
  const Vector<mm::Page*>& pages = index >= kEntriesPage ? entries_ : rings_;
  if (index >= kEntriesPage)
    index -= kEntriesPage;
  else if (index >= kCqRingPage)
    index -= kCqRingPage;
  if (index >= pages.size()) return Errno::Range;
  mm::Page* page = pages[index];
  mm::get_page(*page);
  return page;
}

u8* UringMemory::ring(usize offset) const {
  return bytes_of(rings_, offset);
}

u8* UringMemory::entries(usize offset) const {
  return bytes_of(entries_, offset);
}

Uring::Uring(RefPtr<UringMemory> memory, u32 sq, u32 cq, u32 flags)
    : memory_(uni::move(memory)), sq_entries_(sq), cq_entries_(cq), flags_(flags), owner_(&Process::current()) {}

Result<RefPtr<Uring>> Uring::create(u32 sq_entries, u32 cq_entries, u32 flags) {
  RefPtr<UringMemory> memory = TRY(UringMemory::create(sq_entries, cq_entries));
  RefPtr<Uring> ring = TRY(make_ref<Uring>(uni::move(memory), sq_entries, cq_entries, flags));
  abi::UringRings& rings = ring->rings();
  rings.sq_mask = sq_entries - 1;
  rings.cq_mask = cq_entries - 1;
  rings.sq_entries = sq_entries;
  rings.cq_entries = cq_entries;
  return ring;
}

Uring::~Uring() {
  while (Overflow* kept = overflow_.pop_front())
    delete kept;
}

// The worker is a thread of the owner's memory and descriptors that never enters user mode. It is made when the first
// request waits.
Result<void> Uring::ensure_worker() {
  if (worker_) return {};
  LockGuard registering(register_lock_);
  if (worker_ || stop_.load()) return {};
  const TrapFrame none{};
  RefPtr<Thread> worker = TRY(Thread::create_user(*owner_, none));
  __builtin_memcpy(worker->name, "iou-wrk", 8);
  ref();
  ThreadAccess::set_kernel_entry(*worker, worker_main, this);
  worker->start();
  worker_ = uni::move(worker);
  return {};
}

void Uring::worker_main(void* context) {
  RefPtr<Uring> ring = RefPtr<Uring>::adopt(static_cast<Uring*>(context));
  while (!ring->stop_.load()) {
    (void)ring->worker_queue_.wait(
        [&] { return ring->stop_.load() || (ring->has_work() && ring->waiting_callers_.load() == 0); }, time::kNever,
        Sleep::kUninterruptible);
    if (!ring->stop_.load()) ring->process_work();
  }
  ring->worker_ended_.store(true);
  ring->worker_queue_.wake_all();
  ring = nullptr;
  ThreadAccess::end_kernel_part();
}

void Uring::shut_down() {
  {
    LockGuard guard(lock_);
    closing_ = true;
  }
  // What waits ends here, what runs ends when it would wait.
  for (;;) {
    UringRequestPtr found;
    {
      LockGuard guard(lock_);
      for (UringRequest& request : pending_) {
        request.cancelled = true;
        if (request.state != UringRequest::State::kWaiting) continue;
        request.state = UringRequest::State::kRunning;
        found = UringRequestPtr(&request);
        break;
      }
      if (!found && !deferred_.empty()) {
        found = UringRequestPtr::adopt(deferred_.pop_front());
        found->cancelled = true;
        active_ += 1;
      }
    }
    if (!found) break;
    cancel_chain(complete(*found, UringOutcome::failed(Errno::Canceled)));
  }
  stop_.store(true);
  const bool inside = worker_.get() == &Thread::current();
  if (worker_ && !inside) {
    worker_->must_exit.store(true);
    worker_->attention.store(true);
    worker_queue_.wake_all();
    sched::kick(*worker_);
    (void)worker_queue_.wait([this] { return worker_ended_.load(); }, time::kNever, Sleep::kUninterruptible);
  }
  UringRequest* left = incoming_.exchange(nullptr);
  while (left != nullptr) {
    const UringRequestPtr request = UringRequestPtr::adopt(left);
    left = request->next_incoming;
    request->queued.store(false);
  }
  caller_queue_.wake_all();
  LockGuard registering(register_lock_);
  files_.clear();
  LockGuard guard(lock_);
  eventfd_ = nullptr;
}

i64 Uring::cancel(const UringRequest& by, const Match& match) {
  i64 count = 0;
  bool running = false;
  for (;;) {
    UringRequestPtr found;
    {
      LockGuard guard(lock_);
      for (UringRequest& request : pending_) {
        if (&request == &by || (match.only_op != abi::kOpLast && request.sqe.opcode != match.only_op)) continue;
        const bool fits = (match.flags & abi::kCancelAny) != 0 ||
                          ((match.flags & abi::kCancelFd) != 0 ? request.file.get() == match.file
                                                               : request.sqe.user_data == match.user_data);
        if (!fits || request.cancelled) continue;
        if (request.state != UringRequest::State::kWaiting) {
          running = true;
          continue;
        }
        request.cancelled = true;
        request.state = UringRequest::State::kRunning;
        found = UringRequestPtr(&request);
        break;
      }
    }
    if (!found) break;
    ++count;
    run(uni::move(found));
    if ((match.flags & (abi::kCancelAll | abi::kCancelAny)) == 0) return 0;
  }
  if (count != 0) return count;
  return -static_cast<i64>(running ? Errno::Already : Errno::NoEntry);
}

i64 Uring::cancel_watched(UringRequest& timeout) {
  UringRequestPtr found;
  bool there = false;
  {
    LockGuard guard(lock_);
    UringRequest* watched = exchange(timeout.watched, nullptr);
    there = watched != nullptr;
    if (there && watched->state == UringRequest::State::kWaiting) {
      watched->cancelled = true;
      watched->state = UringRequest::State::kRunning;
      found = UringRequestPtr(watched);
    }
  }
  if (found) {
    run(uni::move(found));
    return -static_cast<i64>(Errno::TimerExpired);
  }
  return -static_cast<i64>(there ? Errno::Already : Errno::NoEntry);
}

i64 Uring::update_timeout(u64 user_data, u64 deadline, u8 only_op) {
  UringRequestPtr found;
  {
    LockGuard guard(lock_);
    for (UringRequest& request : pending_) {
      if (request.sqe.opcode != only_op || request.sqe.user_data != user_data) continue;
      if (request.state != UringRequest::State::kWaiting) continue;
      found = UringRequestPtr(&request);
      break;
    }
  }
  if (!found) return -static_cast<i64>(Errno::NoEntry);
  found->deadline = deadline;
  found->timer.arm(deadline);
  return 0;
}

i64 Uring::update_poll(u64 user_data, const abi::UringSqe& change) {
  UringRequestPtr found;
  {
    LockGuard guard(lock_);
    for (UringRequest& request : pending_) {
      if (request.sqe.opcode != abi::kOpPollAdd || request.sqe.user_data != user_data) continue;
      if (request.state != UringRequest::State::kWaiting) continue;
      if ((change.length & abi::kPollUpdateEvents) != 0) {
        request.sqe.op_flags = change.op_flags;
        request.waiter.interest = change.op_flags | fs::kPollErr | fs::kPollHup;
      }
      if ((change.length & abi::kPollUpdateUserData) != 0) request.sqe.user_data = change.offset;
      found = UringRequestPtr(&request);
      break;
    }
  }
  if (!found) return -static_cast<i64>(Errno::NoEntry);
  found->kick();
  return 0;
}

// The owner's last thread ends: what its workers do needs the descriptors, so they stop first.
void end_rings_of(Process& process) {
  fs::FileTable& table = *process.files;
  for (int fd = table.next_open(0); fd >= 0; fd = table.next_open(fd + 1)) {
    Result<RefPtr<fs::File>> file = table.get(fd, true);
    if (!file.ok() || file.value()->kind() != fs::FileKind::kUring) continue;
    Uring& ring = static_cast<UringFile&>(*file.value()).ring();
    if (ring.owned_by_caller()) ring.shut_down();
  }
}

// The ring ends with the owner's last descriptor of it; others who hold it keep its memory only.
void UringFile::descriptor_closed(fs::FileTable& table) {
  if (!ring_->owned_by_caller()) return;
  for (int fd = table.next_open(0); fd >= 0; fd = table.next_open(fd + 1)) {
    const Result<RefPtr<fs::File>> file = table.get(fd, true);
    if (file.ok() && file.value().get() == this) return;
  }
  ring_->shut_down();
}

UringFile::~UringFile() {
  ring_->shut_down();
}

usize UringFile::describe(Span<char> out) {
  return fs::describe_anonymous("[io_uring]", out);
}

}  // namespace uni::shim
