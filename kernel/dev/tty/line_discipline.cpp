// SPDX-License-Identifier: Apache-2.0
// N_TTY. An end-of-file mark is stored as a 0 byte with its line mark set and a following read stops there without
// delivering it; a NUL that ends no line is an ordinary byte. Differs from Linux: no output delays, no ECHOPRT, no
// EXTPROC; what is echoed while output is stopped goes out at once.
#include "kernel/dev/tty/line_discipline.hpp"

#include "kernel/base/utility.hpp"

namespace uni::dev {
namespace {

constexpr u8 kEofMark = 0;
constexpr bool is_control(u8 c) {
  return c < 32 || c == 127;
}
constexpr bool is_continuation(u8 c) {
  return (c & 0xc0) == 0x80;
}
constexpr u8 to_lower(u8 c) {
  return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}
constexpr bool is_word(u8 c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80;
}

}  // namespace

void LineDiscipline::set_termios(const Termios& termios) {
  const bool was = canonical();
  termios_ = termios;
  // Everything typed so far can be read at once, whichever way the switch went.
  if (was != canonical()) line_start_ = head_;
  if ((termios_.input & kIxOn) == 0) stopped_ = false;
}

void LineDiscipline::flush_input() {
  tail_ = line_start_ = head_;
  literal_ = false;
}

usize LineDiscipline::readable() const {
  if (!canonical()) return head_ - tail_;
  usize count = 0;
  for (usize i = tail_; i != line_start_; ++i)
    count += at(i) == kEofMark && ends_line(i) ? 0 : 1;
  return count;
}

bool LineDiscipline::read_ready(usize minimum) const {
  return canonical() ? line_start_ != tail_ : head_ - tail_ >= minimum;
}

usize LineDiscipline::read(Span<u8> to) {
  usize done = 0;
  const usize end = canonical() ? line_start_ : head_;
  while (done < to.size() && tail_ != end) {
    const u8 byte = at(tail_);
    const bool last = ends_line(tail_);
    ++tail_;
    if (last && byte == kEofMark) {
      if (canonical()) break;
      continue;
    }
    to[done++] = byte;
    if (last && canonical()) break;
  }
  // A mark right behind a full buffer belongs to this read, or the next would see a false end-of-file.
  if (canonical() && done != 0 && done == to.size() && tail_ != end && ends_line(tail_) && at(tail_) == kEofMark)
    ++tail_;
  if (line_start_ < tail_) line_start_ = tail_;
  return done;
}

bool LineDiscipline::store(u8 byte, bool last) {
  // One place is kept for the byte that ends the line, so that a full line can always be finished.
  if (head_ - tail_ >= (last ? kCapacity : kCapacity - 1)) return false;
  buffer_[head_ % kCapacity] = byte;
  u8& marks = marks_[head_ % kCapacity / 8];
  const u8 bit = static_cast<u8>(1u << (head_ % 8));
  marks = static_cast<u8>(last ? marks | bit : marks & ~bit);
  ++head_;
  if (last || !canonical()) line_start_ = head_;
  return true;
}

bool LineDiscipline::signal_for(u8 byte, Effects& effects) {
  Signal which;
  if (is(byte, kVIntr))
    which = Signal::kInterrupt;
  else if (is(byte, kVQuit))
    which = Signal::kQuit;
  else if (is(byte, kVSusp))
    which = Signal::kSuspend;
  else
    return false;
  if ((termios_.local & kNoFlsh) == 0) {
    flush_input();
    effects.flushed();
  }
  if ((termios_.input & kIxOn) != 0 && stopped_) {
    stopped_ = false;
    effects.flow(false);
  }
  echo(byte, effects);
  effects.signal(which);
  return true;
}

void LineDiscipline::input(u8 byte, Effects& effects) {
  if ((termios_.input & kIStrip) != 0) byte &= 0x7f;
  if ((termios_.input & kIUcLc) != 0 && (termios_.local & kIExten) != 0) byte = to_lower(byte);
  if (literal_) {
    literal_ = false;
    store_and_echo(byte, effects);
    return;
  }
  const bool flow = (termios_.input & kIxOn) != 0;
  if (flow && (is(byte, kVStart) || is(byte, kVStop))) {
    const bool stop = is(byte, kVStop) && !is(byte, kVStart);
    if (uni::exchange(stopped_, stop) != stop) effects.flow(stop);
    return;
  }
  if ((termios_.local & kISig) != 0 && signal_for(byte, effects)) return;
  if (flow && stopped_ && (termios_.input & kIxAny) != 0) {
    stopped_ = false;
    effects.flow(false);
  }
  if (byte == '\r') {
    if ((termios_.input & kIgnCr) != 0) return;
    if ((termios_.input & kICrNl) != 0) byte = '\n';
  } else if (byte == '\n' && (termios_.input & kInlCr) != 0) {
    byte = '\r';
  }
  if (canonical())
    edit(byte, effects);
  else
    store_and_echo(byte, effects);
}

void LineDiscipline::store_and_echo(u8 byte, Effects& effects) {
  const usize start = column_;
  const bool first = head_ == line_start_;
  if (!store(byte, false)) {
    if (canonical() && (termios_.input & kIMaxBel) != 0) echo_raw("\a", effects);
    return;
  }
  if (first) line_column_ = start;
  echo(byte, effects);
  // With PARMRK a byte 0377 is doubled, so that it is not taken for the mark of an error (termios(3)).
  if (byte == 0xff && (termios_.input & (kParMrk | kIStrip)) == kParMrk) (void)store(byte, false);
}

void LineDiscipline::edit(u8 byte, Effects& effects) {
  const bool extended = (termios_.local & kIExten) != 0;
  if (is(byte, kVErase)) return erase_one(effects);
  if (is(byte, kVKill)) return erase_line(effects);
  if (extended && is(byte, kVWErase)) return erase_word(effects);
  if (extended && is(byte, kVLNext)) {
    literal_ = true;
    if ((termios_.local & kEcho) != 0 && (termios_.local & kEchoCtl) != 0) echo_raw("^\b", effects);
    return;
  }
  if (extended && (termios_.local & kEcho) != 0 && is(byte, kVReprint)) {
    echo(byte, effects);
    echo('\n', effects);
    for (usize i = line_start_; i != head_; ++i)
      echo(at(i), effects);
    return;
  }
  if (is(byte, kVEof)) {
    store(kEofMark, true);
    return;
  }
  const bool last = byte == '\n' || is(byte, kVEol) || (extended && is(byte, kVEol2));
  if (!last) return store_and_echo(byte, effects);
  if (!store(byte, true)) {
    if ((termios_.input & kIMaxBel) != 0) echo_raw("\a", effects);
    return;
  }
  if (byte == '\n' && (termios_.local & kEcho) == 0 && (termios_.local & kEchoNl) != 0) {
    u8 out[8];
    effects.echo({out, output('\n', out)});
  }
  echo(byte, effects);
}

void LineDiscipline::erase_one(Effects& effects) {
  if (head_ == line_start_) return;
  u8 byte = at(--head_);
  // A character of several UTF-8 bytes goes as one.
  while ((termios_.input & kIUtf8) != 0 && is_continuation(byte) && head_ != line_start_)
    byte = at(--head_);
  if ((termios_.local & kEcho) == 0) return;
  if ((termios_.local & kEchoE) == 0) return echo(termios_.chars[kVErase], effects);
  if (byte == '\t') {
    usize width = tab_width();
    column_ -= min(column_, width);
    while (width-- != 0)
      echo_raw("\b", effects);
    return;
  }
  const bool two = is_control(byte) && (termios_.local & kEchoCtl) != 0;
  column_ -= min(column_, two ? usize{2} : usize{1});
  echo_raw(two ? "\b \b\b \b" : "\b \b", effects);
}

// The columns of a tab that stood at head_: they depend on what was echoed since the line's start, or the tab before.
usize LineDiscipline::tab_width() const {
  usize columns = 0;
  for (usize i = head_; i != line_start_; --i) {
    const u8 byte = at(i - 1);
    if (byte == '\t') return 8 - columns % 8;
    if (is_control(byte))
      columns += (termios_.local & kEchoCtl) != 0 ? 2 : 0;
    else if ((termios_.input & kIUtf8) == 0 || !is_continuation(byte))
      ++columns;
  }
  return 8 - (columns + line_column_) % 8;
}

void LineDiscipline::erase_word(Effects& effects) {
  bool seen = false;
  while (head_ != line_start_) {
    const bool word = is_word(at(head_ - 1));
    if (seen && !word) return;
    seen |= word;
    erase_one(effects);
  }
}

void LineDiscipline::erase_line(Effects& effects) {
  constexpr u32 kRubOut = kEchoE | kEchoK | kEchoKe;
  if ((termios_.local & kEcho) != 0 && (termios_.local & kRubOut) != kRubOut) {
    head_ = line_start_;
    echo(termios_.chars[kVKill], effects);
    if ((termios_.local & kEchoK) != 0) echo('\n', effects);
    return;
  }
  while (head_ != line_start_)
    erase_one(effects);
}

void LineDiscipline::echo_raw(const char* text, Effects& effects) {
  const StringView view(text);
  effects.echo({reinterpret_cast<const u8*>(view.data()), view.size()});
}

void LineDiscipline::echo(u8 byte, Effects& effects) {
  if ((termios_.local & kEcho) == 0) return;
  u8 out[8];
  if (is_control(byte) && (termios_.local & kEchoCtl) != 0 && byte != '\t' && byte != '\n') {
    out[0] = '^';
    out[1] = byte ^ 0x40;
    effects.echo({out, 2});
    column_ += 2;
    return;
  }
  effects.echo({out, output(byte, out)});
}

usize LineDiscipline::output(u8 byte, u8* out) {
  if ((termios_.output & kOPost) == 0) {
    out[0] = byte;
    return 1;
  }
  if (byte == '\n' && (termios_.output & kONlCr) != 0) {
    column_ = 0;
    out[0] = '\r';
    out[1] = '\n';
    return 2;
  }
  if (byte == '\r') {
    if ((termios_.output & kONoCr) != 0 && column_ == 0) return 0;
    if ((termios_.output & kOCrNl) != 0) byte = '\n';
    column_ = 0;
  } else if (byte == '\n') {
    if ((termios_.output & kONlRet) != 0) column_ = 0;
  } else if (byte == '\t') {
    const usize width = 8 - column_ % 8;
    column_ += width;
    if ((termios_.output & kTabs) == kTabs) {
      __builtin_memset(out, ' ', width);
      return width;
    }
  } else if (byte == '\b') {
    if (column_ != 0) --column_;
  } else if (!is_control(byte)) {
    if ((termios_.output & kOLcUc) != 0 && byte >= 'a' && byte <= 'z') byte &= 0xdf;
    if (!is_continuation(byte)) ++column_;
  }
  out[0] = byte;
  return 1;
}

}  // namespace uni::dev
