// SPDX-License-Identifier: Apache-2.0
// poll(2), ppoll(2), select(2), pselect6(2): one wait over many Files.
#include "syscall-shim/linux/poll.hpp"

#include "kernel/base/vector.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

// An O_PATH descriptor is open but cannot be waited for: it is ready for all.
constexpr u32 kSelectIn = fs::kPollIn | fs::kPollRdNorm | fs::kPollRdBand | fs::kPollHup | fs::kPollErr | fs::kPollNval;
constexpr u32 kSelectOut = fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand | fs::kPollErr | fs::kPollNval;
constexpr u32 kSelectExcept = fs::kPollPri | fs::kPollNval;

// What a call waits for. A watch with a null file is never ready by itself.
struct Watch {
  RefPtr<fs::File> file;
  u32 wanted = 0;
  u32 found = 0;
};

// Tells the waiting thread that some file changed.
struct Gate {
  std::atomic<bool> changed{false};
  WaitQueue queue{Rank::kWaitQueueInner};
};
struct GateWaiter : Waiter {
  explicit GateWaiter(Gate& g) : Waiter(on_wake), gate(g) {}
  static bool on_wake(Waiter& self, u32) {
    Gate& gate = static_cast<GateWaiter&>(self).gate;
    if (!gate.changed.exchange(true, std::memory_order_seq_cst)) gate.queue.wake_all();
    return true;
  }
  Gate& gate;
};

usize look(Span<Watch> watches) {
  usize ready = 0;
  for (Watch& w : watches) {
    if (!w.file) {
      if (w.found != 0) ++ready;  // kPollNval
      continue;
    }
    w.found = w.file->poll() & w.wanted;
    if (w.found != 0) ++ready;
  }
  return ready;
}

// Waits until a watch is ready. Gives how many are, 0 after the deadline. Errors: Interrupted, NoMemory.
Result<usize> wait_for(Span<Watch> watches, u64 deadline) {
  usize ready = look(watches);
  if (ready != 0 || deadline == 0) return ready;

  constexpr usize kInline = 8;
  Gate gate;
  alignas(GateWaiter) unsigned char room[kInline * sizeof(GateWaiter)];
  GateWaiter* waiters = reinterpret_cast<GateWaiter*>(room);
  if (watches.size() > kInline) {
    waiters = static_cast<GateWaiter*>(::operator new(watches.size() * sizeof(GateWaiter), std::nothrow));
    if (waiters == nullptr) return Errno::NoMemory;
  }
  usize queued = 0;
  for (Watch& w : watches) {
    WaitQueue* queue = w.file ? w.file->poll_queue() : nullptr;
    if (queue == nullptr) continue;
    GateWaiter* waiter = new (&waiters[queued++]) GateWaiter(gate);
    waiter->interest = w.wanted;
    queue->add(*waiter);
  }
  ScopeGuard release([&] {
    for (usize i = 0; i < queued; ++i)
      waiters[i].~GateWaiter();
    if (watches.size() > kInline) ::operator delete(static_cast<void*>(waiters));
  });
  for (;;) {
    ready = look(watches);
    if (ready != 0) return ready;
    const Wake wake = gate.queue.wait([&] { return gate.changed.exchange(false); }, deadline);
    if (wake == Wake::kSignal) return Errno::Interrupted;
    if (wake == Wake::kTimedOut) return look(watches);
  }
}

u64 deadline_of_ms(i32 timeout_ms) {
  if (timeout_ms < 0) return time::kNever;
  return timeout_ms == 0 ? 0 : time::deadline_after(static_cast<u64>(timeout_ms) * time::kMillisecond);
}

// The time that is left, as ppoll, select and pselect6 write back. A bad address is not an error here, as on Linux.
// Gives how a call ends that a signal interrupted: without the time written back, as with personality(2)'s
// STICKY_TIMEOUTS, it could not be begun again.
template <typename T>
Errno write_remaining(UserPtr<T> to, u64 deadline, T (*convert)(u64)) {
  constexpr u32 kStickyTimeouts = 0x4000000;
  if (!to || deadline == time::kNever) return Errno::RestartNoHand;
  if ((Process::current().personality & kStickyTimeouts) != 0) return Errno::Interrupted;
  const u64 now = deadline == 0 ? 0 : time::monotonic_ns();
  const bool written = to.write(convert(deadline > now ? deadline - now : 0)).ok();
  return written || deadline == 0 ? Errno::RestartNoHand : Errno::Interrupted;
}

Result<i64> do_poll(UserPtr<abi::PollFd> fds, u32 count, u64 deadline) {
  Process& process = Process::current();
  if (count > process.limits[kLimitFiles].soft) return Errno::Invalid;
  constexpr usize kInline = 8;
  abi::PollFd inline_entries[kInline];
  Watch inline_watches[kInline];
  Vector<abi::PollFd> more_entries;
  Vector<Watch> more_watches;
  Span<abi::PollFd> entries(inline_entries, min<usize>(count, kInline));
  Span<Watch> watches(inline_watches, entries.size());
  if (count > kInline) {
    TRY(more_entries.resize(count));
    TRY(more_watches.reserve(count));
    for (u32 i = 0; i < count; ++i)
      TRY(more_watches.push(Watch{}));
    entries = more_entries.span();
    watches = more_watches.span();
  }
  TRY(copy_from_user(entries.data(), fds.address(), count * sizeof(abi::PollFd)));
  for (usize i = 0; i < count; ++i) {
    if (entries[i].fd < 0) continue;
    auto file = process.files->get(entries[i].fd);
    if (!file.ok()) {
      watches[i].found = fs::kPollNval;
      continue;
    }
    watches[i].file = file.take();
    watches[i].wanted = static_cast<u16>(entries[i].events) | fs::kPollErr | fs::kPollHup;
  }
  const usize ready = TRY(wait_for(watches, deadline));
  for (usize i = 0; i < count; ++i) {
    const i16 found = static_cast<i16>(watches[i].found);
    // Only revents is written: other threads may have changed the rest.
    TRY(copy_to_user(fds.address() + i * sizeof(abi::PollFd) + __builtin_offsetof(abi::PollFd, revents), &found,
                     sizeof found));
  }
  return static_cast<i64>(ready);
}

// poll(2) after a stop or an ignored signal: the deadline stays.
Result<i64> restart_poll(Thread& thread) {
  const u64 deadline = thread.restart_args[2];
  auto done = do_poll(UserPtr<abi::PollFd>(thread.restart_args[0]), static_cast<u32>(thread.restart_args[1]), deadline);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  thread.restart = restart_poll;
  return Errno::RestartBlock;
}

struct FdSets {
  UserPtr<u64> in, out, except;
};

Result<i64> do_select(i32 count, FdSets sets, u64 deadline) {
  if (count < 0) return Errno::Invalid;
  Process& process = Process::current();
  // What lies beyond the table is neither read nor an error, as on Linux.
  const u32 fds = min(static_cast<u32>(count), process.files->slots());
  const usize words = (fds + 63) / 64;
  Vector<u64> bits;  // in, out, except
  TRY(bits.resize(words * 3 + 1));
  const UserPtr<u64> pointers[3] = {sets.in, sets.out, sets.except};
  for (usize s = 0; s < 3; ++s) {
    // As Linux does, whole 64-bit words are read: fd_set is made of longs.
    if (pointers[s]) TRY(copy_from_user(&bits[s * words], pointers[s].address(), words * 8));
  }
  Vector<Watch> watches;
  Vector<u32> numbers;
  for (u32 fd = 0; fd < fds; ++fd) {
    const u64 bit = u64{1} << (fd % 64);
    const usize word = fd / 64;
    Watch w;
    if ((bits[word] & bit) != 0) w.wanted |= kSelectIn;
    if ((bits[words + word] & bit) != 0) w.wanted |= kSelectOut;
    if ((bits[2 * words + word] & bit) != 0) w.wanted |= kSelectExcept;
    if (w.wanted == 0) continue;
    w.file = TRY(process.files->get(static_cast<i32>(fd), true));
    if ((w.file->flags() & fs::kOpenPath) != 0) {
      w.file = {};
      w.found = fs::kPollNval;
    }
    TRY(numbers.push(fd));
    TRY(watches.push(move(w)));
  }
  TRY(wait_for(watches.span(), deadline));
  i64 total = 0;
  Vector<u64> result;
  TRY(result.resize(words * 3 + 1));
  const u32 masks[3] = {kSelectIn, kSelectOut, kSelectExcept};
  for (usize i = 0; i < watches.size(); ++i) {
    const usize word = numbers[i] / 64;
    const u64 bit = u64{1} << (numbers[i] % 64);
    for (usize s = 0; s < 3; ++s) {
      if ((bits[s * words + word] & bit) == 0 || (watches[i].found & masks[s]) == 0) continue;
      result[s * words + word] |= bit;
      ++total;
    }
  }
  for (usize s = 0; s < 3; ++s) {
    if (pointers[s]) TRY(copy_to_user(pointers[s].address(), &result[s * words], words * 8));
  }
  return total;
}

}  // namespace

// poll(2).
Result<i64> sys_poll(UserPtr<abi::PollFd> fds, u32 count, i32 timeout_ms) {
  const u64 deadline = deadline_of_ms(timeout_ms);
  auto done = do_poll(fds, count, deadline);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  Thread& thread = Thread::current();
  thread.restart = restart_poll;
  thread.restart_args[0] = raw(fds.address());
  thread.restart_args[1] = count;
  thread.restart_args[2] = deadline;
  return Errno::RestartBlock;
}

// ppoll(2).
Result<i64> sys_ppoll(UserPtr<abi::PollFd> fds, u32 count, UserPtr<abi::Timespec> timeout, UserPtr<u64> mask,
                      u64 mask_size) {
  const u64 deadline = TRY(read_deadline(timeout));
  TemporaryMask temporary;
  TRY(temporary.apply(mask, mask_size));
  auto done = do_poll(fds, count, deadline);
  const Errno interrupted = write_remaining(timeout, deadline, to_timespec);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  temporary.keep_for_handler();
  return interrupted;
}

// select(2).
Result<i64> sys_select(i32 count, UserPtr<u64> in, UserPtr<u64> out, UserPtr<u64> except,
                       UserPtr<abi::Timeval> timeout) {
  u64 deadline = time::kNever;
  if (timeout) {
    const abi::Timeval given = TRY(timeout.read());
    // Microseconds beyond a second are taken as they are (Linux normalises them).
    if (given.tv_sec < 0 || given.tv_usec < 0) return Errno::Invalid;
    const abi::Timespec value{given.tv_sec + given.tv_usec / 1'000'000, (given.tv_usec % 1'000'000) * 1000};
    const u64 duration = TRY(duration_ns(value));
    deadline = duration == 0 ? 0 : time::deadline_after(duration);
  }
  auto done = do_select(count, {in, out, except}, deadline);
  const Errno interrupted = write_remaining(timeout, deadline, to_timeval);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  return interrupted;
}

// pselect6(2).
Result<i64> sys_pselect6(i32 count, UserPtr<u64> in, UserPtr<u64> out, UserPtr<u64> except,
                         UserPtr<abi::Timespec> timeout, UserPtr<abi::SigSetArgument> mask) {
  abi::SigSetArgument argument{};
  if (mask) argument = TRY(mask.read());
  const u64 deadline = TRY(read_deadline(timeout));
  TemporaryMask temporary;
  TRY(temporary.apply(UserPtr<u64>(argument.set), argument.size));
  auto done = do_select(count, {in, out, except}, deadline);
  const Errno interrupted = write_remaining(timeout, deadline, to_timespec);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  temporary.keep_for_handler();
  return interrupted;
}

}  // namespace uni::shim
