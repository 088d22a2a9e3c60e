// SPDX-License-Identifier: Apache-2.0
// The terminal's blocking side. The discipline runs under a spin lock, at the interrupt for input; signals are sent
// after the lock is let go. Differs from Linux: background processes are not stopped (no SIGTTIN, SIGTTOU), and
// TCSETSW does not wait, because the host takes output at once.
#include "kernel/dev/tty/tty.hpp"

#include "kernel/fs/file.hpp"
#include "kernel/sched/process.hpp"

namespace uni::dev {
namespace {

enum Command : u32 {
  kTcGets = 0x5401,
  kTcSets = 0x5402,
  kTcSetsW = 0x5403,
  kTcSetsF = 0x5404,
  kTcSbrk = 0x5409,
  kTcXonc = 0x540a,
  kTcFlsh = 0x540b,
  kTiocSctty = 0x540e,
  kTiocGpgrp = 0x540f,
  kTiocSpgrp = 0x5410,
  kTiocOutq = 0x5411,
  kTiocGwinsz = 0x5413,
  kTiocSwinsz = 0x5414,
  kFionRead = 0x541b,
  kTcSbrkp = 0x5425,
  kTiocGsid = 0x5429,
  kTcGets2 = 0x802c542a,
  kTcSets2 = 0x402c542b,
  kTcSetsW2 = 0x402c542c,
  kTcSetsF2 = 0x402c542d,
};

struct Termios2 {
  Termios base;
  u32 input_speed = 38400, output_speed = 38400;
};
static_assert(sizeof(Termios2) == 44);

// Gathers what the discipline causes; echo goes out at once.
class Gather final : public LineDiscipline::Effects {
 public:
  explicit Gather(TtyBackend& backend) : backend_(backend) {}
  // Echo for which there is no room is lost, as on a slow line.
  void echo(Span<const u8> bytes) override { backend_.push(bytes); }
  void signal(LineDiscipline::Signal which) override { signals_ |= 1u << static_cast<u8>(which); }
  void deliver(Tty& tty) const {
    static constexpr int kNumbers[] = {signal::kInt, signal::kQuit, signal::kTstp};
    for (u8 i = 0; i < 3; ++i) {
      if ((signals_ >> i & 1) != 0) tty.signal_foreground(kNumbers[i]);
    }
  }

 private:
  TtyBackend& backend_;
  u32 signals_ = 0;
};

// Copies a T from or to the program.
template <typename T>
Result<i64> give(u64 argument, const T& value) {
  TRY(copy_to_user(UserAddr{argument}, &value, sizeof value));
  return 0;
}
template <typename T>
Result<T> take(u64 argument) {
  T value;
  TRY(copy_from_user(&value, UserAddr{argument}, sizeof value));
  return value;
}

}  // namespace

void Tty::receive(Span<const u8> bytes) {
  Gather gather(backend_);
  {
    LockGuard lock(lock_);
    for (const u8 b : bytes)
      discipline_.input(b, gather);
  }
  gather.deliver(*this);
  changed_.wake_all();
}

void Tty::signal_foreground(int number) {
  u32 group;
  {
    LockGuard lock(lock_);
    group = foreground_;
  }
  signal::Info info;
  info.number = number;
  info.code = 0x80;                               // SI_KERNEL
  (void)signal::send_to_group(group, info).ok();  // a group that is gone hears nothing
}

void Tty::resize(WindowSize size) {
  {
    LockGuard lock(lock_);
    if (__builtin_memcmp(&size, &size_, sizeof size) == 0) return;
    size_ = size;
  }
  signal_foreground(signal::kWinch);
}

bool Tty::readable(usize minimum) {
  LockGuard lock(lock_);
  return discipline_.read_ready(minimum);
}

// termios(3), "Canonical and noncanonical mode": VMIN and VTIME.
Result<void> Tty::wait_readable(Wait wait, usize wanted) {
  usize minimum = 1;
  u64 pause = 0;  // between bytes, or before the first where minimum is 0; in ns
  {
    LockGuard lock(lock_);
    const Termios& t = discipline_.termios();
    if ((t.local & kICanon) == 0) {
      minimum = min(usize{t.chars[kVMin]}, wanted);
      pause = u64{t.chars[kVTime]} * 100 * time::kMillisecond;
    }
  }
  if (minimum == 0 && pause == 0) return {};
  auto ready = [&](usize count) { return readable(count) || backend_.gone(); };
  if (ready(max(minimum, usize{1}))) return {};
  if (wait == Wait::kNo) return readable(1) ? Result<void>() : Errno::Again;
  if (minimum == 0) {
    const Wake woken = changed_.wait([&] { return ready(1); }, time::deadline_after(pause));
    return woken == Wake::kSignal ? Result<void>(Errno::RestartSys) : Result<void>();
  }
  for (usize have = 1;; ++have) {
    const u64 deadline = pause == 0 || have == 1 ? time::kNever : time::deadline_after(pause);
    const usize goal = pause == 0 ? minimum : have;
    const Wake woken = changed_.wait([&] { return ready(goal); }, deadline);
    if (woken == Wake::kSignal) return readable(1) ? Result<void>() : Errno::RestartSys;
    if (woken == Wake::kTimedOut || goal >= minimum || backend_.gone()) return {};
  }
}

Result<usize> Tty::read(IoCursor& to, Wait wait) {
  if (to.remaining() == 0) return 0;
  TRY(wait_readable(wait, to.remaining()));
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  auto* buffer = static_cast<u8*>(mm::address_of(*page));
  usize size;
  {
    LockGuard lock(lock_);
    size = discipline_.read({buffer, min(to.remaining(), kPageSize)});
  }
  auto done = size == 0 ? Result<usize>(0) : to.put(buffer, size);
  mm::put_page(*page);
  return done;
}

// Hands processed output to the backend. Blocks for room where it may.
Result<void> Tty::send(Span<const u8> bytes, Wait wait, usize* sent) {
  while (*sent < bytes.size()) {
    if (backend_.gone()) return Errno::Io;
    *sent += backend_.push(bytes.slice(*sent));
    if (*sent == bytes.size()) break;
    if (wait == Wait::kNo) return Errno::Again;
    auto ready = [this] { return backend_.has_room() || backend_.gone(); };
    if (changed_.wait(ready) != Wake::kReady) return Errno::RestartSys;
  }
  return {};
}

Result<usize> Tty::write(IoCursor& from, Wait wait) {
  constexpr usize kPiece = 64;
  usize done = 0;
  while (from.remaining() != 0) {
    auto running = [this] {
      LockGuard lock(lock_);
      return !discipline_.stopped();
    };
    const bool may = (running() && backend_.has_room()) || backend_.gone();
    if (!may && wait == Wait::kNo) return done != 0 ? Result<usize>(done) : Errno::Again;
    if (!may) {
      auto ready = [&] { return (running() && backend_.has_room()) || backend_.gone(); };
      if (changed_.wait(ready) != Wake::kReady) return done != 0 ? Result<usize>(done) : Errno::RestartSys;
    }
    u8 piece[kPiece];
    u8 out[kPiece * 8];
    const auto taken = from.take(piece, kPiece);
    if (!taken.ok()) return done != 0 ? Result<usize>(done) : taken.error();
    usize size = 0;
    {
      LockGuard lock(lock_);
      for (usize i = 0; i < taken.value(); ++i)
        size += discipline_.output(piece[i], out + size);
    }
    usize sent = 0;
    // A piece that was taken is finished even where the file must not block: it is small, and there was room.
    if (const auto all = send({out, size}, Wait::kYes, &sent); !all.ok()) {
      return done != 0 ? Result<usize>(done) : all.error();
    }
    done += taken.value();
    if (taken.value() == 0) break;
  }
  return done;
}

u32 Tty::poll() {
  u32 bits = 0;
  {
    LockGuard lock(lock_);
    const Termios& t = discipline_.termios();
    const usize minimum = (t.local & kICanon) == 0 && t.chars[kVTime] == 0 ? max<usize>(t.chars[kVMin], 1) : 1;
    if (discipline_.read_ready(minimum)) bits |= fs::kPollIn | fs::kPollRdNorm;
    if (!discipline_.stopped()) bits |= fs::kPollOut | fs::kPollWrNorm;
  }
  if (backend_.gone()) return bits | fs::kPollHup | fs::kPollIn | fs::kPollRdNorm;
  if (!backend_.has_room()) bits &= ~u32{fs::kPollOut | fs::kPollWrNorm};
  return bits;
}

void Tty::set_termios(const Termios& termios, bool flush) {
  {
    LockGuard lock(lock_);
    if (flush) discipline_.flush_input();
    discipline_.set_termios(termios);
  }
  changed_.wake_all();
}

Result<i64> Tty::ioctl(u32 command, u64 argument) {
  auto locked = [this](auto action) {
    LockGuard lock(lock_);
    return action();
  };
  switch (command) {
    case kTcGets:
      return give(argument, locked([this] { return discipline_.termios(); }));
    case kTcGets2:
      return give(argument, Termios2{locked([this] { return discipline_.termios(); })});
    case kTcSets:
    case kTcSetsW:
    case kTcSetsF:
      set_termios(TRY(take<Termios>(argument)), command == kTcSetsF);
      return 0;
    case kTcSets2:
    case kTcSetsW2:
    case kTcSetsF2:
      set_termios(TRY(take<Termios2>(argument)).base, command == kTcSetsF2);
      return 0;
    case kTcFlsh:
      if (argument > 2) return Errno::Invalid;
      if (argument != 1) locked([this] { discipline_.flush_input(); });
      return 0;
    case kTiocGwinsz:
      return give(argument, locked([this] { return size_; }));
    case kTiocSwinsz:
      resize(TRY(take<WindowSize>(argument)));
      return 0;
    case kTiocGpgrp:
      return give(argument, locked([this] { return foreground_; }));
    case kTiocSpgrp: {
      const u32 group = TRY(take<u32>(argument));
      if (static_cast<i32>(group) < 0) return Errno::Invalid;
      locked([&] { foreground_ = group; });
      return 0;
    }
    case kTiocGsid:
      return give(argument, raw(Process::current().session()));
    case kFionRead:
      return give(argument, static_cast<int>(locked([this] { return discipline_.readable(); })));
    case kTiocOutq:
      return give(argument, 0);
    case kTcSbrk:
    case kTcSbrkp:
    case kTcXonc:
    case kTiocSctty:
      return 0;
    default:
      return Errno::NotTty;
  }
}

}  // namespace uni::dev
