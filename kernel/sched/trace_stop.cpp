// SPDX-License-Identifier: Apache-2.0
// The tracee's side: it stops itself, at places where all of its registers are in its TrapFrame and in its Tracee,
// tells its tracer, and sleeps. What the tracer has changed it takes over itself before it goes on. So nobody ever
// changes registers of a thread that could run.
#include "kernel/mm/user_access.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/trace.hpp"

namespace uni::trace {
namespace {

constexpr int kTrapBreakpoint = 1;  // TRAP_BRKPT
constexpr int kSiKernel = 0x80;

enum class Until : u8 { kKilled, kKilledAgain };

struct Stop {
  int code = 0;
  const signal::Info* info = nullptr;
  u64 message = 0;
  ChildCode why = ChildCode::kTrapped;
  Until until = Until::kKilled;
  bool at_signal = false;
};

void tell_tracer(Tracee& t, ChildCode why) {
  Process& tracer = t.tracer.load()->process();
  bool wanted = false;
  {
    LockGuard guard(tracer.signals->lock);
    const signal::Action& action = tracer.signals->actions[signal::kChld - 1];
    wanted = action.handler != signal::kHandlerIgnore && (action.flags & signal::kNoChildStop) == 0;
  }
  if (wanted) tell(tracer, t.thread.process(), raw(t.thread.tid()), signal::kChld, why, t.code & 0x7f);
  wake_waiters(tracer);
}

// Takes over what the tracer has changed.
void go_on(Tracee& t) {
  TrapFrame& frame = *t.thread.frame;
  if (exchange(t.bases_changed, false)) arch::set_user_bases(t.bases);
  if (exchange(t.fpu_changed, false)) arch::fpu_reload();
  arch::debug_load(t.thread);
  if (frame.rip > kUserEnd) frame.rip = kUserEnd;  // a fault of the program's own, not of IRET
  if (t.step) {
    t.forced_step = t.forced_step || !arch::single_step(frame);
    arch::set_single_step(frame, true);
  } else if (exchange(t.forced_step, false)) {
    arch::set_single_step(frame, false);
  }
}

// Gives false where it did not stop: it is not traced any more, or killed.
bool stop(Thread& thread, const Stop& s) {
  Tracee& t = *thread.tracee.load();
  arch::fpu_park();
  const arch::UserBases bases = arch::user_bases();
  {
    LockGuard guard(process_tree_lock());
    if (of(thread) == nullptr || (thread.must_exit.load() && s.until == Until::kKilled)) return false;
    t.bases = bases;
    t.code = s.code;
    t.has_info = s.info != nullptr;
    if (t.has_info) t.info = *s.info;
    t.message = s.message;
    t.at_signal = s.at_signal;
    t.signal = 0;
    t.trap_due = false;
    if (s.code >> 8 == kEventStop) t.notice_due = false;
    t.unreported = true;
    t.stopped = true;
    tell_tracer(t, s.why);
  }
  const auto over = [&] {
    if (!t.stopped.load()) return true;
    if (s.until == Until::kKilledAgain && t.kill_again.load()) return true;
    return t.listening.load() && (t.trap_due.load() || t.notice_due.load());
  };
  (void)t.queue.wait(over, time::kNever, s.until == Until::kKilled ? Sleep::kKillable : Sleep::kUninterruptible);
  {
    LockGuard guard(process_tree_lock());
    if (exchange(t.unreported, false) || t.stopped.load()) t.signal = 0;
    if (t.listening.exchange(false)) t.trap_due = true;  // it shows what it is in now
    t.stopped = false;
  }
  go_on(t);
  return true;
}

void notify(Thread& thread, int code, u64 message, Until until = Until::kKilled) {
  signal::Info info;
  info.number = signal::kTrap;
  info.code = code;
  info.pid = raw(thread.tid());
  info.uid = thread.process().credentials.uid;
  Stop s;
  s.code = code;
  s.info = &info;
  s.message = message;
  s.until = until;
  (void)stop(thread, s);
}

// A signal that the tracer gave at a stop for something else.
void send_given(Thread& thread) {
  const int number = exchange(thread.tracee.load()->signal, 0);
  if (number == 0) return;
  signal::Info info;
  info.number = number;
  info.code = kSiKernel;
  (void)signal::send(thread, info).ok();
}

}  // namespace

bool signal_stop(Thread& thread, signal::Info* info) {
  Tracee* t = of(thread);
  if (t == nullptr) return true;
  Stop s;
  s.code = info->number;
  s.info = info;
  s.at_signal = true;
  if (!stop(thread, s)) return !thread.must_exit.load();
  const int number = exchange(t->signal, 0);
  if (number == 0) return false;
  if (number == t->info.number) {
    *info = t->info;
  } else {
    *info = {};
    info->number = number;
    LockGuard guard(process_tree_lock());
    if (of(thread) != nullptr) {
      const Process& tracer = t->tracer.load()->process();
      info->pid = raw(tracer.pid());
      info->uid = tracer.credentials.uid;
    }
  }
  if ((thread.blocked & signal::bit(number) & ~signal::kUnblockable) == 0) return true;
  (void)signal::send(thread, *info).ok();
  return false;
}

bool stop_where_due(Thread& thread) {
  Tracee* t = of(thread);
  if (t == nullptr) return false;
  signal::SignalState& signals = *thread.process().signals;
  const bool in_group_stop = signals.stopped.load();
  const u32 count = signals.stop_count.load();
  const bool group = in_group_stop && t->stop_seen.load() != count;
  if (!group && !t->trap_due.load() && !(t->seized && t->notice_due.load())) return false;
  t->stop_seen = count;
  t->trap_due = false;
  const int number = in_group_stop ? signals.stop_signal.load() : int{signal::kTrap};
  Stop s;
  s.code = number;
  s.why = ChildCode::kStopped;
  signal::Info info;
  if (t->seized) {
    s.code |= kEventStop << 8;
    info.number = number;
    info.code = s.code;
    info.pid = raw(thread.tid());
    info.uid = thread.process().credentials.uid;
    s.info = &info;
  }
  const bool stopped = stop(thread, s);
  t->signal = 0;
  return stopped;
}

bool wants(const Thread& thread, Event event) {
  const Tracee* t = of(thread);
  return t != nullptr && (t->options.load(std::memory_order_relaxed) >> event & 1) != 0;
}

bool has_option(const Thread& thread, u32 option) {
  const Tracee* t = of(thread);
  return t != nullptr && (t->options.load(std::memory_order_relaxed) & option) != 0;
}

void event_stop(Thread& thread, Event event, u64 message) {
  if (!wants(thread, event)) return;
  notify(thread, signal::kTrap | event << 8, message);
  send_given(thread);
}

bool wants_calls(const Thread& thread) {
  const Tracee* t = of(thread);
  return t != nullptr && t->how != Resume::kRun;
}

bool emulates_calls(const Thread& thread) {
  const Tracee* t = of(thread);
  return t != nullptr && t->how == Resume::kEmulate;
}

bool steps(const Thread& thread) {
  const Tracee* t = of(thread);
  return t != nullptr && t->step;
}

void call_stop(Thread& thread, u64 message) {
  const Tracee& t = *thread.tracee.load();
  notify(thread, signal::kTrap | ((t.options.load() & kSysGood) != 0 ? 0x80 : 0), message);
  send_given(thread);
}

void step_stop(Thread& thread) {
  signal::Info info;
  info.number = signal::kTrap;
  info.code = kTrapBreakpoint;
  info.address = thread.frame->rip;
  signal::force(thread, info);
}

void handler_stop(Thread& thread) {
  notify(thread, signal::kTrap, 0);
  send_given(thread);
}

void executed(Thread& thread, u32 old_tid) {
  arch::clear_debug_registers(thread);
  arch::debug_load(thread);
  Tracee* t = of(thread);
  if (t == nullptr) return;
  t->forced_step = false;
  if (wants(thread, kEventExec)) return event_stop(thread, kEventExec, old_tid);
  if (t->seized) return;
  signal::Info info;
  info.number = signal::kTrap;
  info.pid = raw(thread.process().pid());
  info.uid = thread.process().credentials.uid;
  (void)signal::send(thread, info).ok();
}

bool may_gain_privileges(const Thread& thread) {
  const Tracee* t = of(thread);
  return t == nullptr || t->tracer_capable;
}

void exit_stop(Thread& thread, int status) {
  if (!wants(thread, kEventExit)) return;
  notify(thread, signal::kTrap | kEventExit << 8, static_cast<u64>(status), Until::kKilledAgain);
}

bool thread_ended(Thread& thread, int status) {
  if (thread.tracee.load() == nullptr) return false;
  RefPtr<Thread> keep;
  LockGuard guard(process_tree_lock());
  Tracee* t = of(thread);
  if (t == nullptr || thread.process().leader == &thread) return false;
  Process& tracer = t->tracer.load()->process();
  if (ignores_children(tracer)) {
    keep = unlink(*t);
    wake_waiters(tracer);
    return false;
  }
  t->dead = true;
  t->end_status = status;
  tell(tracer, thread.process(), raw(thread.tid()), signal::kChld, end_code(status), end_value(status));
  wake_waiters(tracer);
  return true;
}

void forget(Thread& thread) {
  if (thread.tracee.load() == nullptr) return;
  RefPtr<Thread> keep;
  LockGuard guard(process_tree_lock());
  if (Tracee* t = of(thread)) keep = unlink(*t);
}

}  // namespace uni::trace
