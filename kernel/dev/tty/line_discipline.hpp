// SPDX-License-Identifier: Apache-2.0
// The terminal's line discipline, N_TTY (termios(3)): editing, echo, signals, end-of-file; canonical and raw mode.
// Pure: no locks, no devices; the owner serialises the calls. Tested on the host.
#pragma once

#include "kernel/base/span.hpp"
#include "kernel/dev/tty/termios.hpp"

namespace uni::dev {

class LineDiscipline {
 public:
  static constexpr usize kCapacity = 4096;

  enum class Signal : u8 { kInterrupt, kQuit, kSuspend };
  // What the discipline causes while it works.
  class Effects {
   public:
    virtual void echo(Span<const u8> bytes) = 0;  // towards the terminal, output processing done
    virtual void signal(Signal which) = 0;
    // Output was stopped or let go on by a character (IXON).
    virtual void flow(bool stopped) { (void)stopped; }
    // Input was thrown away by a character that sends a signal.
    virtual void flushed() {}

   protected:
    ~Effects() = default;
  };

  const Termios& termios() const { return termios_; }
  // Switching canonical mode on or off keeps what was typed: it becomes readable as it is (as Linux does).
  void set_termios(const Termios& termios);

  // A byte typed at the terminal.
  void input(u8 byte, Effects& effects);
  // Is there a place for another byte? Where not, the terminal must wait. A line that is too long has one: its excess
  // is dropped, so that it can still be finished.
  bool accepts() const { return head_ - tail_ < kCapacity - 1 || (canonical() && line_start_ == tail_); }
  // Is the terminal's output held back (^S)?
  bool stopped() const { return stopped_; }
  void let_go() { stopped_ = false; }

  // Bytes that a read would get now: whole lines in canonical mode.
  usize readable() const;
  // Is there something to read, an end-of-file mark included? `minimum` bytes in raw mode.
  bool read_ready(usize minimum = 1) const;
  // Takes bytes: at most one line in canonical mode; gives how many, 0 for an end-of-file mark. Needs: read_ready().
  usize read(Span<u8> to);
  void flush_input();

  // Output processing (OPOST) of `byte`: writes up to 8 bytes to `out`, gives how many.
  usize output(u8 byte, u8* out);

 private:
  bool canonical() const { return (termios_.local & kICanon) != 0; }
  bool is(u8 byte, ControlChar which) const { return byte == termios_.chars[which] && byte != 0; }
  bool signal_for(u8 byte, Effects& effects);
  void edit(u8 byte, Effects& effects);
  void erase_one(Effects& effects);
  void erase_word(Effects& effects);
  void erase_line(Effects& effects);
  void echo(u8 byte, Effects& effects);
  void echo_raw(const char* text, Effects& effects);
  bool store(u8 byte, bool ends_line);
  void store_and_echo(u8 byte, Effects& effects);
  usize tab_width() const;
  u8 at(usize position) const { return buffer_[position % kCapacity]; }
  bool ends_line(usize position) const { return (marks_[position % kCapacity / 8] >> (position % 8) & 1) != 0; }

  Termios termios_;
  u8 buffer_[kCapacity];
  u8 marks_[kCapacity / 8] = {};  // one bit a byte of buffer_: a line ends here
  // Counters that only grow: [tail_, line_start_) is readable in canonical mode, [line_start_, head_) is being edited.
  usize tail_ = 0, line_start_ = 0, head_ = 0;
  usize column_ = 0;
  usize line_column_ = 0;  // where the echo of the line that is being edited began
  bool stopped_ = false;
  bool literal_ = false;  // the next byte is taken as it is (VLNEXT)
};

}  // namespace uni::dev
