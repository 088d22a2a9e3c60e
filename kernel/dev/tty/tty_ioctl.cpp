// SPDX-License-Identifier: Apache-2.0
// ioctl_tty(2). What a master asks is about its terminal, but for what waits to be read. Refused: breaks, modem lines,
// other line disciplines than N_TTY, and TIOCCONS.
#include "kernel/dev/tty/gather.hpp"
#include "kernel/dev/tty/job_control.hpp"
#include "kernel/dev/tty/speed.hpp"
#include "kernel/sched/process.hpp"

namespace uni::dev {
namespace {

enum Command : u32 {
  kTcGets = 0x5401,
  kTcSets = 0x5402,
  kTcSetsW = 0x5403,
  kTcSetsF = 0x5404,
  kTcGetA = 0x5405,
  kTcSetA = 0x5406,
  kTcSetAW = 0x5407,
  kTcSetAF = 0x5408,
  kTcSbrk = 0x5409,
  kTcXonc = 0x540a,
  kTcFlsh = 0x540b,
  kTiocExcl = 0x540c,
  kTiocNxcl = 0x540d,
  kTiocSctty = 0x540e,
  kTiocGpgrp = 0x540f,
  kTiocSpgrp = 0x5410,
  kTiocOutq = 0x5411,
  kTiocSti = 0x5412,
  kTiocGwinsz = 0x5413,
  kTiocSwinsz = 0x5414,
  kFionRead = 0x541b,
  kTiocNotty = 0x5422,
  kTiocSetd = 0x5423,
  kTiocGetd = 0x5424,
  kTcSbrkp = 0x5425,
  kTiocGsid = 0x5429,
  kTcGets2 = 0x802c542a,
  kTcSets2 = 0x402c542b,
  kTcSetsW2 = 0x402c542c,
  kTcSetsF2 = 0x402c542d,
  kTiocGdev = 0x80045432,
  kTiocVhangup = 0x5437,
  kTiocGexcl = 0x80045440,
};

constexpr unsigned kCapSysAdmin = 21, kCapSysTtyConfig = 26;

struct Termios2 {
  Termios base;
  u32 input_speed, output_speed;
};
static_assert(sizeof(Termios2) == 44);

// struct termio, the older form: half of each word, and the first control characters.
struct Termio {
  u16 input, output, control, local;
  u8 line;
  u8 chars[8];
};
static_assert(sizeof(Termio) == 18);

Termio old_form(const Termios& t) {
  Termio out{static_cast<u16>(t.input),
             static_cast<u16>(t.output),
             static_cast<u16>(t.control),
             static_cast<u16>(t.local),
             t.line,
             {}};
  __builtin_memcpy(out.chars, t.chars, sizeof out.chars);
  return out;
}

Termios with_old_form(Termios t, const Termio& wanted) {
  const auto lower = [](u32& word, u16 half) { word = (word & 0xffff0000) | half; };
  lower(t.input, wanted.input);
  lower(t.output, wanted.output);
  lower(t.control, wanted.control);
  lower(t.local, wanted.local);
  t.line = wanted.line;
  __builtin_memcpy(t.chars, wanted.chars, sizeof wanted.chars);
  return t;
}

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

bool admin() {
  return Process::current().credentials.capable(kCapSysAdmin);
}

}  // namespace

usize Tty::waiting(Side) {
  LockGuard lock(lock_);
  return discipline_.readable();
}

Result<i64> Tty::own_ioctl(u32, u64, Side) {
  return Errno::NotTty;
}

void Tty::set_termios(const Termios& termios, u32 input_speed, u32 output_speed, bool throw_away) {
  {
    LockGuard lock(lock_);
    if (throw_away) {
      discipline_.flush_input();
      tell_packet(0, kPacketFlushRead);
    }
    auto flow_keys = [](const Termios& t) {
      return (t.input & kIxOn) != 0 && t.chars[kVStop] == 0x13 && t.chars[kVStart] == 0x11;
    };
    const bool did = flow_keys(discipline_.termios());
    Termios wanted = termios;
    // A terminal without a line has eight bits and no parity (pty_set_termios).
    constexpr u32 kSizeAndParity = 0x30 | 0x100, kEightBits = 0x30 | 0x80;
    wanted.control = (wanted.control & ~kSizeAndParity) | kEightBits;
    discipline_.set_termios(wanted);
    input_speed_ = input_speed;
    output_speed_ = output_speed;
    if (const bool does = flow_keys(wanted); does != did)
      tell_packet(kPacketDoStop | kPacketNoStop, does ? kPacketDoStop : kPacketNoStop);
  }
  work_off_backlog();
  changed_.wake_all();
}

Result<i64> Tty::set_termios_ioctl(u32 command, u64 argument) {
  TRY(job_control::check_change(*this, signal::kTtou));
  const bool newer = command >= kTcSets2;
  Termios2 wanted{};
  if (newer) {
    wanted = TRY(take<Termios2>(argument));
  } else if (command >= kTcSetA && command <= kTcSetAF) {
    const auto given = TRY(take<Termio>(argument));
    LockGuard lock(lock_);
    wanted.base = with_old_form(discipline_.termios(), given);
  } else {
    wanted.base = TRY(take<Termios>(argument));
  }
  const u32 given_in = newer ? wanted.input_speed : 0, given_out = newer ? wanted.output_speed : 0;
  u32 old_in = 0, old_out = 0;
  {
    LockGuard lock(lock_);
    old_in = input_speed_;
    old_out = output_speed_;
  }
  const u32 output = speed_of(wanted.base.control, newer ? given_out : old_out);
  const u32 input_bits = wanted.base.control >> kInputSpeedShift & kSpeedMask;
  const u32 input = input_bits == 0 ? output : speed_of(input_bits, newer ? given_in : old_in);
  set_termios(wanted.base, input, output, command == kTcSetsF || command == kTcSetsF2 || command == kTcSetAF);
  return 0;
}

// TCFLSH.
Result<i64> Tty::flush(u64 which, Side side) {
  TRY(job_control::check_change(*this, signal::kTtou));
  if (which > 2) return Errno::Invalid;
  const bool input = which != 1, output = which != 0;
  if (side == Side::kMaster) {
    if (input) flush_output();
    return 0;
  }
  {
    LockGuard lock(lock_);
    if (input) discipline_.flush_input();
    // What was written is with the other side already, and stays there.
    tell_packet(0, static_cast<u8>((input ? kPacketFlushRead : 0) | (output ? kPacketFlushWrite : 0)));
  }
  work_off_backlog();
  return 0;
}

// TCXONC: stops and starts output, or asks the other side to (by its own characters).
Result<i64> Tty::flow(u64 action) {
  TRY(job_control::check_change(*this, signal::kTtou));
  if (action > 3) return Errno::Invalid;
  {
    LockGuard lock(lock_);
    if (action < 2) {
      const bool stop = action == 0;
      if (exchange(held_, stop) != stop) {
        if (!stop) discipline_.let_go();
        tell_packet(stop ? kPacketStart : kPacketStop, stop ? kPacketStop : kPacketStart);
      }
    } else {
      const u8 byte = discipline_.termios().chars[action == 2 ? kVStop : kVStart];
      if (byte != 0) push({&byte, 1});
    }
  }
  changed_.wake_all();
  return 0;
}

// TIOCSTI: a byte as if it had been typed. Refused to who has not the capability, as Linux does since 6.2 by default.
Result<i64> Tty::type_in(u64 argument) {
  if (!admin()) return Errno::Io;
  const u8 byte = TRY(take<u8>(argument));
  receive({&byte, 1});
  return 0;
}

// Who controls the terminal.
Result<i64> Tty::control_ioctl(u32 command, u64 argument, Side side) {
  switch (command) {
    case kTiocGpgrp:
      return give(argument, TRY(job_control::foreground(*this, side)));
    case kTiocGsid:
      return give(argument, TRY(job_control::session(*this, side)));
    case kTiocNotty:
      if (side == Side::kMaster) return Errno::NotTty;
      TRY(job_control::give_up(*this));
      return 0;
    default: {
      // TIOCSPGRP: an orphaned group is told that this is no terminal of its.
      if (const auto may = job_control::check_change(*this, signal::kTtou); !may.ok())
        return may.error() == Errno::Io ? Errno::NotTty : may.error();
      const u32 group = TRY(take<u32>(argument));
      if (static_cast<i32>(group) < 0) return Errno::Invalid;
      TRY(job_control::set_foreground(*this, group));
      return 0;
    }
  }
}

Result<i64> Tty::ioctl(u32 command, u64 argument, Side side) {
  auto locked = [this](auto action) {
    LockGuard lock(lock_);
    return action();
  };
  switch (command) {
    case kTcGets:
      return give(argument, locked([this] { return discipline_.termios(); }));
    case kTcGets2:
      return give(argument, locked([this] { return Termios2{discipline_.termios(), input_speed_, output_speed_}; }));
    case kTcGetA:
      return give(argument, old_form(locked([this] { return discipline_.termios(); })));
    case kTcSets:
    case kTcSetsW:
    case kTcSetsF:
    case kTcSetA:
    case kTcSetAW:
    case kTcSetAF:
    case kTcSets2:
    case kTcSetsW2:
    case kTcSetsF2:
      return set_termios_ioctl(command, argument);
    case kTcFlsh:
      return flush(argument, side);
    case kTcXonc:
      return flow(argument);
    case kTcSbrk:
    case kTcSbrkp:
      // There is no line to break; output is with the other side already.
      TRY(job_control::check_change(*this, signal::kTtou));
      return 0;
    case kTiocExcl:
    case kTiocNxcl:
      locked([&] { exclusive_ = command == kTiocExcl; });
      return 0;
    case kTiocGexcl:
      return give(argument, locked([this] { return i32{exclusive_ ? 1 : 0}; }));
    case kTiocGwinsz:
      return give(argument, locked([this] { return size_; }));
    case kTiocSwinsz:
      resize(TRY(take<WindowSize>(argument)));
      return 0;
    case kTiocGpgrp:
    case kTiocSpgrp:
    case kTiocGsid:
    case kTiocNotty:
      return control_ioctl(command, argument, side);
    case kTiocSti:
      return type_in(argument);
    case kFionRead:
      return give(argument, static_cast<i32>(waiting(side)));
    case kTiocOutq:
    case kTiocGetd:
      return give(argument, i32{0});
    case kTiocSetd:
      TRY(job_control::check_change(*this, signal::kTtou));
      if (TRY(take<i32>(argument)) != 0) return Errno::Invalid;
      return 0;
    case kTiocGdev:
      return give(argument, static_cast<u32>(device()));
    case kTiocVhangup:
      if (!admin() && !Process::current().credentials.capable(kCapSysTtyConfig)) return Errno::NotPermitted;
      hang_up();
      return 0;
    default:
      return own_ioctl(command, argument, side);
  }
}

}  // namespace uni::dev
