// SPDX-License-Identifier: Apache-2.0
// An AsyncIo observes its file's poll queue. A wake-up comes under locks that are above those of processes, so it only
// notes the events and defers the rest. A program that makes its own file ready has the signal before its call returns.
#include "kernel/fs/async_io.hpp"

#include "kernel/sched/deferred.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {

constexpr u32 kInBits = kPollIn | kPollRdNorm | kPollRdBand;
constexpr u32 kOutBits = kPollOut | kPollWrNorm | kPollWrBand;
constexpr u32 kPollMask = 0xffff;
constexpr u32 kPollMessageBand = 0x400;  // POLLMSG
constexpr u32 kUrgent = 1u << 31;        // tell_urgent, beside poll bits
constexpr u32 kMessage = 1u << 29;       // tell_message
constexpr u32 kUnknown = 1u << 30;       // a wake-up that does not say for what

// Guards the settings of all AsyncIos. Held for a few instructions.
constinit SpinLock settings_lock{Rank::kLeaf};

}  // namespace

class AsyncIo final : public RefCounted, public sched::Deferred {
 public:
  explicit AsyncIo(File& watched) : file(&watched), waiter(*this) {}

  struct FileWaiter : Waiter {
    explicit FileWaiter(AsyncIo& io) : Waiter(on_wake), owner(io) {}
    static bool on_wake(Waiter& w, u32 events) {
      static_cast<FileWaiter&>(w).owner.make_due(events == ~0u ? kUnknown : events & kPollMask);
      return false;  // others still want the wake-up
    }
    AsyncIo& owner;
  };

  void make_due(u32 events) {
    events_.fetch_or(events, std::memory_order_seq_cst);
    if (pending_.exchange(true, std::memory_order_seq_cst)) return;
    ref();
    sched::defer(*this);
  }
  void run_deferred() override;

  File* file;  // null once it is gone; under settings_lock
  IoOwner owner;
  int number = 0;
  int fd = -1;
  u32 uid = 0, euid = 0;
  FileWaiter waiter;

 private:
  void send_one(int reason, u32 band);
  std::atomic<u32> events_{0};
  std::atomic<bool> pending_{false};
};

namespace {

// A process group's members.
template <typename F>
void each_of_group(Pid group, F visit) {
  Vector<RefPtr<Process>> members;
  Process::for_each([&](Process& process) {
    if (process.group() == group) (void)members.push(RefPtr<Process>(&process)).ok();
  });
  for (const RefPtr<Process>& process : members)
    visit(*process);
}

bool may_tell(const AsyncIo& io, const Process& target) {
  const Credentials& c = target.credentials;
  return io.euid == 0 || io.euid == c.suid || io.euid == c.uid || io.uid == c.suid || io.uid == c.uid;
}

}  // namespace

void AsyncIo::send_one(int reason, u32 band) {
  signal::Info info;
  IoOwner to;
  {
    LockGuard guard(settings_lock);
    to = owner;
    info.number = reason == 0 ? int{signal::kUrg} : (number == 0 ? int{signal::kIo} : number);
    info.code = reason == 0 || number == 0 ? 0x80 : reason;
    info.band = static_cast<int>(band);
    info.fd = fd;
  }
  if (to.number == 0) return;
  // A queue that is full loses the siginfo, as on Linux.
  if (to.kind == OwnerKind::kThread) {
    RefPtr<Thread> thread = Process::find_thread(Tid{to.number});
    if (thread && may_tell(*this, thread->process())) (void)signal::send(*thread, info).ok();
    return;
  }
  if (to.kind == OwnerKind::kProcess) {
    RefPtr<Process> process = Process::find(Pid{to.number});
    if (process && may_tell(*this, *process)) (void)signal::send(*process, info).ok();
    return;
  }
  each_of_group(Pid{to.number}, [&](Process& process) {
    if (may_tell(*this, process)) (void)signal::send(process, info).ok();
  });
}

void AsyncIo::run_deferred() {
  const RefPtr<AsyncIo> own = RefPtr<AsyncIo>::adopt(this);
  pending_.store(false, std::memory_order_seq_cst);
  u32 events = events_.exchange(0, std::memory_order_seq_cst);
  if ((events & kUnknown) != 0) {
    RefPtr<File> watched;
    {
      LockGuard guard(settings_lock);
      if (file != nullptr && file->try_ref()) watched = RefPtr<File>::adopt(file);
    }
    if (watched) events |= watched->poll() & kPollMask;
  }
  constexpr int kIn = 1, kOut = 2, kMessageReason = 3, kError = 4, kPriority = 5, kHangUp = 6;  // siginfo's POLL_IN ...
  if ((events & kUrgent) != 0) send_one(0, 0);
  if ((events & kMessage) != 0) send_one(kMessageReason, kPollIn | kPollRdNorm | kPollMessageBand);
  const bool in = (events & kInBits) != 0;
  const bool out = (events & kOutBits) != 0;
  if ((events & kPollPri) != 0) send_one(kPriority, kPollPri | kPollRdBand);
  if ((events & kPollHup) != 0 && in == out) return send_one(kHangUp, kPollHup | kPollErr);
  if (in) send_one(kIn, kPollIn | kPollRdNorm);
  if (out) send_one(kOut, kPollOut | kPollWrNorm | kPollWrBand);
  if (!in && !out && (events & kPollErr) != 0) send_one(kError, kPollErr);
}

namespace {

Result<AsyncIo*> async_of(File& file) {
  if (AsyncIo* there = file.async_io.load(std::memory_order_acquire)) return there;
  TRY(sched::prepare_deferred_work());
  RefPtr<AsyncIo> made = TRY(make_ref<AsyncIo>(file));
  AsyncIo* expected = nullptr;
  if (!file.async_io.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) return expected;
  return made.leak();
}

}  // namespace

Result<void> set_io_owner(File& file, IoOwner owner) {
  if (owner.number != 0) {
    bool there = false;
    if (owner.kind == OwnerKind::kThread) there = static_cast<bool>(Process::find_thread(Tid{owner.number}));
    if (owner.kind == OwnerKind::kProcess) there = static_cast<bool>(Process::find(Pid{owner.number}));
    if (owner.kind == OwnerKind::kGroup) each_of_group(Pid{owner.number}, [&](Process&) { there = true; });
    if (!there) return Errno::NoProcess;
  }
  AsyncIo* io = TRY(async_of(file));
  const Credentials& who = Process::current().credentials;
  LockGuard guard(settings_lock);
  io->owner = owner;
  io->uid = who.uid;
  io->euid = who.euid;
  return {};
}

IoOwner io_owner(File& file) {
  AsyncIo* io = file.async_io.load(std::memory_order_acquire);
  if (io == nullptr) return {OwnerKind::kProcess, 0};
  LockGuard guard(settings_lock);
  return io->owner;
}

Result<void> set_io_signal(File& file, int number) {
  if (number < 0 || number > signal::kCount) return Errno::Invalid;
  AsyncIo* io = TRY(async_of(file));
  LockGuard guard(settings_lock);
  io->number = number;
  return {};
}

int io_signal(File& file) {
  AsyncIo* io = file.async_io.load(std::memory_order_acquire);
  return io == nullptr ? 0 : io->number;
}

Result<void> set_async(File& file, int fd, bool on) {
  WaitQueue* queue = file.poll_queue();
  if (queue == nullptr) return {};
  if (!on && file.async_io.load(std::memory_order_acquire) == nullptr) return {};
  AsyncIo* io = TRY(async_of(file));
  io->fd = fd;
  LockGuard guard(file.position_lock);  // two callers at once
  const bool was_on = io->waiter.queue != nullptr;
  if (on && !was_on) queue->add(io->waiter);
  if (!on && was_on) queue->remove(io->waiter);
  return {};
}

void tell_urgent(File& file) {
  if (AsyncIo* io = file.async_io.load(std::memory_order_acquire)) io->make_due(kUrgent);
}

Result<void> expect_messages(File& file, int fd) {
  AsyncIo* io = TRY(async_of(file));
  const Process& process = Process::current();
  LockGuard guard(settings_lock);
  io->fd = fd;
  if (io->owner.number != 0) return {};
  io->owner = {OwnerKind::kProcess, raw(process.pid())};
  io->uid = process.credentials.uid;
  io->euid = process.credentials.euid;
  return {};
}

void tell_message(File& file) {
  if (AsyncIo* io = file.async_io.load(std::memory_order_acquire)) io->make_due(kMessage);
}

void async_file_dying(File& file) {
  AsyncIo* io = file.async_io.exchange(nullptr);
  if (io->waiter.queue != nullptr) io->waiter.queue->remove(io->waiter);
  {
    LockGuard guard(settings_lock);
    io->file = nullptr;
  }
  io->unref();
}

}  // namespace uni::fs
