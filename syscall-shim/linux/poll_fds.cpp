// SPDX-License-Identifier: Apache-2.0
// eventfd(2), timerfd_create(2) and its two, signalfd(2).
#include "kernel/base/format.hpp"
#include "kernel/fs/anonymous.hpp"
#include "kernel/fs/eventfd.hpp"
#include "kernel/fs/timerfd.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/poll.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

u32 open_flags(i32 flags) {
  return fs::kOpenReadWrite | ((flags & abi::kNonblock) != 0 ? u32{fs::kOpenNonBlock} : 0u);
}

Result<i64> install(RefPtr<fs::File> file, i32 flags) {
  return i64 {
    TRY(Process::current().files->install(move(file), (flags & abi::kCloexec) != 0))
  };
}

// signalfd(2): reads take the signals of whoever reads. The record is the ABI's, so the class is here.
class SignalFd final : public fs::File {
 public:
  SignalFd(RefPtr<signal::SignalState> state, signal::Set mask, u32 flags)
      : File(fs::FileKind::kSignalFd, flags), state_(move(state)), mask_(mask) {}
  void set_mask(signal::Set mask) {
    mask_.store(mask, std::memory_order_relaxed);
    state_->signalfd_queue.wake_all(fs::kPollIn);
  }
  Result<usize> read(IoCursor& to, u64 offset) override;
  u32 poll() override;
  WaitQueue* poll_queue() override { return &state_->signalfd_queue; }
  usize describe(Span<char> out) override { return fs::describe_anonymous("[signalfd]", out); }
  void describe_info(Writer& out) override {
    format(out, "sigmask:\t{:016x}\n", mask_.load(std::memory_order_relaxed));
  }

 private:
  RefPtr<signal::SignalState> state_;
  std::atomic<signal::Set> mask_;
};

abi::SignalfdSigInfo record_of(const signal::Info& info) {
  abi::SignalfdSigInfo out;
  __builtin_memset(&out, 0, sizeof out);
  out.ssi_signo = static_cast<u32>(info.number);
  out.ssi_errno = info.error;
  out.ssi_code = info.code;
  out.ssi_pid = info.pid;
  out.ssi_uid = info.uid;
  out.ssi_fd = info.fd;
  out.ssi_tid = static_cast<u32>(info.timer_id);
  out.ssi_band = static_cast<u32>(info.band);
  out.ssi_overrun = static_cast<u32>(info.overrun);
  out.ssi_status = info.status;
  out.ssi_int = static_cast<i32>(info.value);
  out.ssi_ptr = info.value;
  out.ssi_utime = info.user_time;
  out.ssi_stime = info.system_time;
  out.ssi_addr = info.address;
  return out;
}

Result<usize> SignalFd::read(IoCursor& to, u64) {
  if (to.remaining() < sizeof(abi::SignalfdSigInfo)) return Errno::Invalid;
  Thread& thread = Thread::current();
  usize done = 0;
  while (to.remaining() >= sizeof(abi::SignalfdSigInfo)) {
    signal::Info info;
    auto take = [&] { return signal::dequeue(thread, mask_.load(std::memory_order_relaxed), &info); };
    if (!take()) {
      if (done != 0) break;
      if (must_not_wait(to)) return Errno::Again;
      if (state_->signalfd_queue.wait(take) != Wake::kReady) return Errno::RestartSys;
    }
    const abi::SignalfdSigInfo record = record_of(info);
    const usize copied = TRY(to.put(&record, sizeof record));
    done += copied;
    if (copied != sizeof record) break;
  }
  return done;
}

u32 SignalFd::poll() {
  Thread& thread = Thread::current();
  if (thread.is_kernel()) return 0;
  const signal::Set waiting = thread.pending.set | thread.process().signals->shared.set;
  return (waiting & mask_.load(std::memory_order_relaxed)) != 0 ? fs::kPollIn | fs::kPollRdNorm : 0;
}

Result<i64> make_signalfd(i32 fd, UserPtr<u64> mask, u64 mask_size, i32 flags) {
  if (mask_size != sizeof(signal::Set)) return Errno::Invalid;
  const signal::Set set = TRY(mask.read())
  &~signal::kUnblockable;
  if ((flags & ~(abi::kCloexec | abi::kNonblock)) != 0) return Errno::Invalid;
  if (fd != -1) {
    RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
    if (file->kind() != fs::FileKind::kSignalFd) return Errno::Invalid;
    static_cast<SignalFd&>(*file).set_mask(set);
    return i64{fd};
  }
  return install(TRY(make_ref<SignalFd>(Process::current().signals, set, open_flags(flags))), flags);
}

Result<RefPtr<fs::File>> get_timer(i32 fd) {
  RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->kind() != fs::FileKind::kTimerFd) return Errno::Invalid;
  return file;
}

abi::Itimerspec to_abi(const time::Alarm::Setting& setting) {
  return {to_timespec(setting.interval), to_timespec(setting.value)};
}

}  // namespace

// eventfd(2).
Result<i64> sys_eventfd2(u32 initial, i32 flags) {
  if ((flags & ~(abi::kCloexec | abi::kNonblock | abi::kEventFdSemaphore)) != 0) return Errno::Invalid;
  const auto mode = (flags & abi::kEventFdSemaphore) != 0 ? fs::EventFd::Mode::kSemaphore : fs::EventFd::Mode::kCounter;
  return install(TRY(make_ref<fs::EventFd>(initial, mode, open_flags(flags))), flags);
}

Result<i64> sys_eventfd(u32 initial) {
  return sys_eventfd2(initial, 0);
}

// signalfd(2).
Result<i64> sys_signalfd(i32 fd, UserPtr<u64> mask, u64 mask_size) {
  return make_signalfd(fd, mask, mask_size, 0);
}

Result<i64> sys_signalfd4(i32 fd, UserPtr<u64> mask, u64 mask_size, i32 flags) {
  return make_signalfd(fd, mask, mask_size, flags);
}

// timerfd_create(2). The alarm clocks, which wake a sleeping machine, are the clocks: this machine does not sleep.
Result<i64> sys_timerfd_create(i32 clock, i32 flags) {
  if ((flags & ~(abi::kCloexec | abi::kNonblock)) != 0) return Errno::Invalid;
  time::AlarmClock kind{};
  switch (clock) {
    case abi::kClockMonotonic:
    case abi::kClockBoottime:
    case abi::kClockBoottimeAlarm:
      kind = time::AlarmClock::kMonotonic;
      break;
    case abi::kClockRealtime:
    case abi::kClockRealtimeAlarm:
      kind = time::AlarmClock::kRealtime;
      break;
    default:
      return Errno::Invalid;
  }
  return install(TRY(make_ref<fs::TimerFd>(kind, clock, open_flags(flags))), flags);
}

// timerfd_settime(2). Differs: a timer on CLOCK_REALTIME does not follow a clock that is set while it runs, and so
// TFD_TIMER_CANCEL_ON_SET never cancels.
Result<i64> sys_timerfd_settime(i32 fd, i32 flags, UserPtr<abi::Itimerspec> value, UserPtr<abi::Itimerspec> old) {
  const abi::Itimerspec wanted = TRY(value.read());
  if ((flags & ~(abi::kTimerAbsolute | abi::kTimerCancelOnSet)) != 0) return Errno::Invalid;
  const u64 first = TRY(duration_ns(wanted.it_value));
  const u64 interval = TRY(duration_ns(wanted.it_interval));
  RefPtr<fs::File> file = TRY(get_timer(fd));
  auto& timer = static_cast<fs::TimerFd&>(*file);
  u64 next = time::kNever;
  if (first != 0) {
    next = first;
    if ((flags & abi::kTimerAbsolute) == 0 && __builtin_add_overflow(timer.now(), first, &next))
      next = time::kNever - 1;
  }
  const abi::Itimerspec before = to_abi(timer.set(next, interval, static_cast<u32>(flags)));
  if (old) TRY(old.write(before));
  return 0;
}

// timerfd_gettime(2).
Result<i64> sys_timerfd_gettime(i32 fd, UserPtr<abi::Itimerspec> value) {
  RefPtr<fs::File> file = TRY(get_timer(fd));
  TRY(value.write(to_abi(static_cast<fs::TimerFd&>(*file).get())));
  return 0;
}

}  // namespace uni::shim
