// SPDX-License-Identifier: Apache-2.0
// The terminal's blocking side. The discipline runs under a spin lock, at the interrupt for a console's input; signals
// are sent after the lock is let go. TCSETSW does not wait, because the other side takes output at once.
#include "kernel/dev/tty/tty.hpp"

#include "kernel/dev/tty/gather.hpp"
#include "kernel/dev/tty/job_control.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sched/process.hpp"

namespace uni::dev {

void Gather::deliver() const {
  static constexpr int kNumbers[] = {signal::kInt, signal::kQuit, signal::kTstp};
  for (u8 i = 0; i < 3; ++i) {
    if ((signals_ >> i & 1) != 0) tty_.signal_foreground(kNumbers[i]);
  }
}

Result<void> Tty::opened() {
  constexpr unsigned kCapSysAdmin = 21;
  LockGuard lock(lock_);
  if (exclusive_ && !Process::current().credentials.capable(kCapSysAdmin)) return Errno::Busy;
  return {};
}

usize Tty::feed(Span<const u8> bytes, Gather& gather) {
  usize taken = 0;
  while (backlog_.empty() && taken < bytes.size() && discipline_.accepts())
    discipline_.input(bytes[taken++], gather);
  return taken + backlog_.put(bytes.slice(taken));
}

usize Tty::receive(Span<const u8> bytes) {
  Gather gather(*this);
  usize taken = 0;
  {
    LockGuard lock(lock_);
    taken = feed(bytes, gather);
  }
  gather.deliver();
  changed_.wake_all();
  return taken;
}

// After a read, a flush or a change of mode the discipline may have room again.
void Tty::work_off_backlog() {
  Gather gather(*this);
  {
    LockGuard lock(lock_);
    while (!backlog_.empty() && discipline_.accepts())
      discipline_.input(backlog_.take_one(), gather);
  }
  gather.deliver();
  input_taken();
}

bool Tty::signal_foreground(int number) {
  return job_control::signal_foreground(*this, number);
}

void Tty::hang_up() {
  generation_.fetch_add(1, std::memory_order_release);
  job_control::hang_up(*this);
  changed_.wake_all();
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
Result<void> Tty::wait_readable(Wait wait, usize wanted, u32 opened_in) {
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
  auto ready = [&](usize count) { return readable(count) || ended(opened_in); };
  if (ready(max(minimum, usize{1}))) return {};
  if (minimum == 0 && pause == 0) return {};
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
    if (hung_up(opened_in)) return Errno::Io;
    if (woken == Wake::kTimedOut || goal >= minimum || gone()) return {};
  }
}

Result<usize> Tty::read_into(Span<u8> buffer, Wait wait, u32 opened_in) {
  while (true) {
    TRY(wait_readable(wait, buffer.size(), opened_in));
    LockGuard lock(lock_);
    const Termios& t = discipline_.termios();
    const bool may_be_empty = (t.local & kICanon) == 0 && (t.chars[kVMin] == 0 || t.chars[kVTime] != 0);
    if (discipline_.read_ready()) return discipline_.read(buffer);
    if (may_be_empty || ended(opened_in)) return 0;
    // Another reader was faster.
  }
}

Result<usize> Tty::read(IoCursor& to, Wait wait, u32 opened_in) {
  if (hung_up(opened_in)) return 0;
  TRY(job_control::check_change(*this, signal::kTtin));
  if (to.remaining() == 0) return 0;
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  auto* buffer = static_cast<u8*>(mm::address_of(*page));
  auto size = read_into({buffer, min(to.remaining(), kPageSize)}, wait, opened_in);
  if (!size.ok() || size.value() == 0) {
    mm::put_page(*page);
    return size;
  }
  work_off_backlog();
  auto done = to.put(buffer, size.value());
  mm::put_page(*page);
  return done;
}

bool Tty::may_write() {
  LockGuard lock(lock_);
  return !discipline_.stopped() && !held_ && has_room();
}

// Waits for its turn and for room.
Result<void> Tty::begin_write(Wait wait, u32 opened_in) {
  auto turn = [&] {
    if (ended(opened_in)) return true;
    LockGuard lock(lock_);
    if (writing_ || (wait == Wait::kNo && (discipline_.stopped() || held_ || !has_room()))) return false;
    writing_ = true;
    return true;
  };
  if (!turn()) {
    if (wait == Wait::kNo) return Errno::Again;
    if (changed_.wait(turn) != Wake::kReady) return Errno::RestartSys;
  }
  if (ended(opened_in)) return Errno::Io;
  return {};
}

// Hands a piece's processed bytes on, all of them: it is small, and there was room.
Result<void> Tty::write_piece(Span<const u8> bytes, u32 opened_in) {
  u8 out[kPiece];
  usize size = 0, sent = 0;
  while (true) {
    {
      LockGuard lock(lock_);
      if (size == 0) {
        for (const u8 byte : bytes)
          size += discipline_.output(byte, out + size);
      }
      sent += push({out + sent, size - sent});
      if (sent == size) return {};
    }
    auto ready = [&] {
      if (ended(opened_in)) return true;
      LockGuard lock(lock_);
      return has_room();
    };
    if (changed_.wait(ready, time::kNever, Sleep::kKillable) != Wake::kReady) return Errno::RestartSys;
    if (ended(opened_in)) return Errno::Io;
  }
}

Result<usize> Tty::write(IoCursor& from, Wait wait, u32 opened_in) {
  if (hung_up(opened_in)) return Errno::Io;
  {
    bool stops = false;
    {
      LockGuard lock(lock_);
      stops = (discipline_.termios().local & kToStop) != 0;
    }
    if (stops) TRY(job_control::check_change(*this, signal::kTtou));
  }
  if (from.remaining() == 0) return 0;
  TRY(begin_write(wait, opened_in));
  usize done = 0;
  Errno error{};
  while (from.remaining() != 0 && error == Errno{}) {
    if (!may_write()) {
      error = Errno::Again;
      if (wait == Wait::kNo) break;
      error = Errno::RestartSys;
      if (changed_.wait([&] { return ended(opened_in) || may_write(); }) != Wake::kReady) break;
      error = Errno{};
    }
    if (ended(opened_in)) {
      error = Errno::Io;
      break;
    }
    u8 piece[kPiece / 8];
    const auto taken = from.take(piece, sizeof piece);
    if (!taken.ok()) {
      error = taken.error();
      break;
    }
    if (const auto sent = write_piece({piece, taken.value()}, opened_in); !sent.ok()) error = sent.error();
    done += taken.value();
  }
  {
    LockGuard lock(lock_);
    writing_ = false;
  }
  changed_.wake_all(fs::kPollOut | fs::kPollWrNorm);
  if (done == 0 && error != Errno{}) return error;
  return done;
}

u32 Tty::poll(u32 opened_in) {
  if (hung_up(opened_in)) {
    return fs::kPollIn | fs::kPollOut | fs::kPollErr | fs::kPollHup | fs::kPollRdNorm | fs::kPollWrNorm;
  }
  u32 bits = 0;
  {
    LockGuard lock(lock_);
    const Termios& t = discipline_.termios();
    const usize minimum = (t.local & kICanon) == 0 && t.chars[kVTime] == 0 ? max<usize>(t.chars[kVMin], 1) : 1;
    if (discipline_.read_ready(minimum)) bits |= fs::kPollIn | fs::kPollRdNorm;
    if (!discipline_.stopped() && !held_ && has_room()) bits |= fs::kPollOut | fs::kPollWrNorm;
  }
  if (gone()) bits |= fs::kPollHup | fs::kPollIn | fs::kPollRdNorm;
  return bits;
}

}  // namespace uni::dev
