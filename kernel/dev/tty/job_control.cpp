// SPDX-License-Identifier: Apache-2.0
// Job control on the terminal's side, as Linux's tty_jobctrl.c describes it. Signals are sent under the tree lock
// (SignalState::lock nests inside it).
#include "kernel/dev/tty/job_control.hpp"

#include "kernel/fs/file.hpp"
#include "kernel/sched/process.hpp"

namespace uni::dev::job_control {
namespace {

constexpr unsigned kCapSysAdmin = 21;
constexpr Pid kNone{0};

void send_to(Process& p, int number) {
  signal::Info info;
  info.number = number;
  info.code = 0x80;                  // SI_KERNEL
  (void)signal::send(p, info).ok();  // what has no room is pending already
}

bool send_to_group(Pid group, int number) {
  if (group == kNone) return false;
  bool found = false;
  for (Process& p : Process::all()) {
    if (p.group() != group || p.life.load() != Process::Life::kAlive) continue;
    send_to(p, number);
    found = true;
  }
  return found;
}

// All processes of the session lose the terminal.
void clear_session(Pid session, const Tty& tty) {
  for (Process& p : Process::all()) {
    if (p.session() == session && p.terminal.get() == &tty) p.terminal = {};
  }
}

void take(Process& leader, Tty& tty) {
  tty.session = leader.session();
  tty.foreground = leader.group();
  leader.terminal = RefPtr<Tty>(&tty);
}

bool leads(const Process& p) {
  return raw(p.session()) == raw(p.pid());
}

// A leader parts from its terminal. `ends`: with its life, else by TIOCNOTTY.
void disassociate(Process& leader, bool ends) {
  const RefPtr<Tty> tty = leader.terminal;
  if (!tty) {
    const Pid group = exchange(leader.lost_terminal_group, kNone);
    if (!ends || group == kNone) return;
    send_to_group(group, signal::kHup);
    send_to_group(group, signal::kCont);
    return;
  }
  if (tty->session != leader.session()) return;
  send_to_group(tty->foreground, signal::kHup);
  if (!ends) send_to_group(tty->foreground, signal::kCont);
  leader.lost_terminal_group = kNone;
  tty->session = tty->foreground = kNone;
  clear_session(leader.session(), *tty);
}

}  // namespace

Result<void> check_change(Tty& tty, int number) {
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  if (self.terminal.get() != &tty || tty.foreground == kNone || tty.foreground == self.group()) return {};
  bool unseen = false;
  {
    LockGuard signals(self.signals->lock);
    unseen = (Thread::current().blocked & signal::bit(number)) != 0 ||
             self.signals->actions[number - 1].handler == signal::kHandlerIgnore;
  }
  if (unseen) return number == signal::kTtin ? Result<void>(Errno::Io) : Result<void>();
  if (Process::group_is_orphaned(self.group())) return Errno::Io;
  send_to_group(self.group(), number);
  return Errno::RestartSys;
}

void claim_on_open(Tty& tty, u32 open_flags) {
  if ((open_flags & fs::kOpenNoCtty) != 0 || (open_flags & fs::kOpenAccessMask) == fs::kOpenWriteOnly) return;
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  if (leads(self) && !self.terminal && tty.session == kNone) take(self, tty);
}

Result<void> claim(Tty& tty, bool steal, bool readable) {
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  if (leads(self) && tty.session == self.session()) return {};
  if (!leads(self) || self.terminal) return Errno::NotPermitted;
  const bool admin = self.credentials.capable(kCapSysAdmin);
  if (tty.session != kNone) {
    if (!steal || !admin) return Errno::NotPermitted;
    clear_session(tty.session, tty);
  }
  if (!readable && !admin) return Errno::NotPermitted;
  take(self, tty);
  return {};
}

Result<void> give_up(Tty& tty) {
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  if (self.terminal.get() != &tty) return Errno::NotTty;
  if (leads(self)) disassociate(self, false);
  self.terminal = {};
  return {};
}

Result<u32> foreground(Tty& tty, Tty::Side side) {
  LockGuard guard(process_tree_lock());
  if (side == Tty::Side::kTerminal && Process::current().terminal.get() != &tty) return Errno::NotTty;
  return raw(tty.foreground);
}

Result<u32> session(Tty& tty, Tty::Side side) {
  LockGuard guard(process_tree_lock());
  if (side == Tty::Side::kTerminal && Process::current().terminal.get() != &tty) return Errno::NotTty;
  if (tty.session == kNone) return Errno::NotTty;
  return raw(tty.session);
}

Result<void> set_foreground(Tty& tty, u32 group) {
  Process& self = Process::current();
  LockGuard guard(process_tree_lock());
  if (self.terminal.get() != &tty || tty.session != self.session()) return Errno::NotTty;
  // A group, or else a process that leads none: Linux looks in this order.
  const Process* by_group = nullptr;
  const Process* by_number = nullptr;
  for (const Process& p : Process::all()) {
    if (raw(p.group()) == group && by_group == nullptr) by_group = &p;
    if (raw(p.pid()) == group) by_number = &p;
  }
  const Process* found = by_group != nullptr ? by_group : by_number;
  if (found == nullptr) return Errno::NoProcess;
  if (found->session() != self.session()) return Errno::NotPermitted;
  tty.foreground = Pid{group};
  return {};
}

bool signal_foreground(Tty& tty, int number) {
  LockGuard guard(process_tree_lock());
  return send_to_group(tty.foreground, number);
}

void hang_up(Tty& tty) {
  LockGuard guard(process_tree_lock());
  if (tty.session == kNone) return;
  for (Process& p : Process::all()) {
    if (p.session() != tty.session) continue;
    if (p.terminal.get() == &tty) p.terminal = {};
    if (!leads(p)) continue;
    send_to(p, signal::kHup);
    send_to(p, signal::kCont);
    p.lost_terminal_group = tty.foreground;
  }
  tty.session = tty.foreground = kNone;
}

RefPtr<Tty> current() {
  LockGuard guard(process_tree_lock());
  return Process::current().terminal;
}

void forget(Process& process) {
  process.terminal = {};
  process.lost_terminal_group = kNone;
}

void process_ends(Process& process) {
  LockGuard guard(process_tree_lock());
  if (leads(process)) disassociate(process, true);
  process.terminal = {};
}

}  // namespace uni::dev::job_control
