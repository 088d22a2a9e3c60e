// SPDX-License-Identifier: Apache-2.0
// A terminal: line discipline, window size, session and foreground group, and the blocking reads and writes of its open
// files. What carries the bytes derives from it: a console port (port_tty) or a pty (pty).
//
// Locking: `lock_` (Rank::kPipe) guards the discipline, the sizes and the derived class's queues; who controls it (job
// control) is under process_tree_lock(), which is taken first. Signals are sent with neither `lock_` held.
// A hang-up ends what was open before it: each open file remembers the generation that it was opened in.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/dev/tty/byte_ring.hpp"
#include "kernel/dev/tty/line_discipline.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni {
enum class Pid : u32;
}

namespace uni::dev {

class Gather;

// TIOCPKT's status bits (ioctl_tty(2)).
enum PacketBit : u8 {
  kPacketFlushRead = 1,
  kPacketFlushWrite = 2,
  kPacketStop = 4,
  kPacketStart = 8,
  kPacketNoStop = 16,
  kPacketDoStop = 32,
};

class Tty : public RefCounted {
 public:
  Tty(u32 index, WindowSize size) : index_(index), size_(size) {}

  enum class Wait : u8 { kNo, kYes };
  // Whose ioctl it is: a program's terminal, or the master of a pty.
  enum class Side : u8 { kTerminal, kMaster };
  // read(2) and write(2) of an open file. May block. Errors: Again, RestartSys, Fault, Io (the other side has gone, or
  // the caller is in the background and may not be stopped).
  Result<usize> read(IoCursor& to, Wait wait, u32 opened_in);
  Result<usize> write(IoCursor& from, Wait wait, u32 opened_in);
  u32 poll(u32 opened_in);
  // ioctl_tty(2). Errors: NotTty, Fault, Invalid, NoProcess, NotPermitted, Io, RestartSys.
  Result<i64> ioctl(u32 command, u64 argument, Side side);
  WaitQueue& changed() { return changed_; }

  // The N of /dev/pts/N.
  u32 index() const { return index_; }
  u64 device() const { return ((136 + index_ / 256) << 8) | (index_ % 256); }
  u32 generation() const { return generation_.load(std::memory_order_acquire); }
  bool hung_up(u32 opened_in) const { return opened_in != generation(); }

  // open(2) and the last reference of one: a file of the terminal's side. Errors: Io, Busy (TIOCEXCL).
  virtual Result<void> opened();
  virtual void closed() {}

  // Bytes from the terminal; gives how many were taken. From interrupts too.
  usize receive(Span<const u8> bytes);
  // There is room for output again.
  void output_possible() { changed_.wake_all(); }
  // Ends all open files and tells the session's leader.
  void hang_up();
  // A new window size, from either side: the foreground group gets SIGWINCH.
  void resize(WindowSize size);
  // Sends a signal to the foreground process group; false: there is nobody in it.
  bool signal_foreground(int number);

  // Job control, under process_tree_lock(); 0: none.
  Pid session{}, foreground{};

  // What devpts shows of it.
  std::atomic<u32> node_uid{0}, node_gid{5}, node_mode{0620};

 protected:
  // Takes output bytes as far as there is room; gives how many. Does not block; from interrupts too. Under lock_.
  virtual usize push(Span<const u8> bytes) = 0;
  // Is there room for kPiece bytes? If not, output_possible() is called when there is.
  virtual bool has_room() = 0;
  // Has the other side gone for good?
  virtual bool gone() = 0;
  // For a pty's master in packet mode. Under lock_.
  virtual void tell_packet(u8 clear, u8 set) { (void)clear, (void)set; }
  // Input was taken: there may be room for more.
  virtual void input_taken() {}
  // TCFLSH of the master's side: what waits for it to be read.
  virtual void flush_output() {}
  virtual Result<i64> own_ioctl(u32 command, u64 argument, Side side);
  // Bytes that the given side can read now.
  virtual usize waiting(Side side);

  static constexpr usize kPiece = 512;
  static constexpr usize kBacklog = 8192;
  SpinLock lock_{Rank::kPipe};
  LineDiscipline discipline_;   // under lock_
  bool held_ = false;           // TCXONC; under lock_
  ByteRing<kBacklog> backlog_;  // typed, but the discipline has no place for it; under lock_

 private:
  friend class Gather;
  bool readable(usize minimum);
  bool ended(u32 opened_in) { return gone() || hung_up(opened_in); }
  Result<void> wait_readable(Wait wait, usize wanted, u32 opened_in);
  Result<usize> read_into(Span<u8> buffer, Wait wait, u32 opened_in);
  usize feed(Span<const u8> bytes, Gather& gather);
  void work_off_backlog();
  bool may_write();
  Result<void> begin_write(Wait wait, u32 opened_in);
  Result<void> write_piece(Span<const u8> bytes, u32 opened_in);
  void set_termios(const Termios& termios, u32 input_speed, u32 output_speed, bool flush);
  Result<i64> set_termios_ioctl(u32 command, u64 argument);
  Result<i64> control_ioctl(u32 command, u64 argument, Side side);
  Result<i64> flush(u64 which, Side side);
  Result<i64> flow(u64 action);
  Result<i64> type_in(u64 argument);

  const u32 index_;
  std::atomic<u32> generation_{0};
  WindowSize size_;                                 // under lock_
  u32 input_speed_ = 38400, output_speed_ = 38400;  // under lock_
  bool exclusive_ = false;                          // under lock_
  bool writing_ = false;                            // a write is under way: writes do not mix; under lock_
  WaitQueue changed_;
};

}  // namespace uni::dev
