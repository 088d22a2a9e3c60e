// SPDX-License-Identifier: Apache-2.0
// A terminal: line discipline, window size, foreground group, and the blocking reads and writes of a Tty's Files. What
// carries the bytes is a backend: a console port here.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/dev/tty/line_discipline.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::dev {

class TtyBackend {
 public:
  // Takes output bytes as far as there is room; gives how many. Does not block; from interrupts too.
  virtual usize push(Span<const u8> bytes) = 0;
  // Is there room? If not, Tty::output_possible() is called when there is.
  virtual bool has_room() = 0;
  // Has the other side gone for good?
  virtual bool gone() = 0;

 protected:
  ~TtyBackend() = default;
};

class Tty {
 public:
  Tty(TtyBackend& backend, WindowSize size) : backend_(backend), size_(size) {}

  enum class Wait : u8 { kNo, kYes };
  // read(2) and write(2). May block. Errors: Again, RestartSys, Fault, Io (the other side has gone: writes).
  Result<usize> read(IoCursor& to, Wait wait);
  Result<usize> write(IoCursor& from, Wait wait);
  u32 poll();
  // ioctl_tty(2). Errors: NotTty, Fault, Invalid, NoProcess.
  Result<i64> ioctl(u32 command, u64 argument);
  WaitQueue& changed() { return changed_; }

  // Bytes from the terminal. From interrupts too.
  void receive(Span<const u8> bytes);
  void output_possible() { changed_.wake_all(); }
  void hang_up() { changed_.wake_all(); }
  // A new window size, from either side: the foreground group gets SIGWINCH.
  void resize(WindowSize size);
  // Sends a signal to the foreground process group.
  void signal_foreground(int number);

 private:
  bool readable(usize minimum);
  Result<void> wait_readable(Wait wait, usize wanted);
  void set_termios(const Termios& termios, bool flush);
  Result<void> send(Span<const u8> bytes, Wait wait, usize* sent);

  TtyBackend& backend_;
  SpinLock lock_{Rank::kPipe};
  LineDiscipline discipline_;  // under lock_
  WindowSize size_;            // under lock_
  u32 foreground_ = 2;         // under lock_
  WaitQueue changed_;
};

}  // namespace uni::dev
