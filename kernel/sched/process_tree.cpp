// SPDX-License-Identifier: Apache-2.0
// The process tree: groups and sessions, zombies and their reaping, waiting. Everything here is under the tree lock,
// and signals are sent with it held (SignalState::lock nests inside).
#include "kernel/fs/file.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/process_exit.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/time/clock.hpp"

namespace uni {
namespace {

constinit SpinLock tree_lock{Rank::kProcessTree};
alignas(8) unsigned char all_storage[sizeof(ListNode)];
bool all_ready = false;
constinit WaitQueue gone_queue;

bool selected(const Process& child, const WaitSelection& s) {
  if (s.kind == WaitSelection::Kind::kPid && child.pid() != s.number) return false;
  if (s.kind == WaitSelection::Kind::kGroup && child.group() != s.number) return false;
  if (s.family == WaitSelection::Family::kAll) return true;
  return (child.exit_signal != signal::kChld) == (s.family == WaitSelection::Family::kClone);
}

signal::Action action_of(Process& process, int number) {
  LockGuard guard(process.signals->lock);
  return process.signals->actions[number - 1];
}

}  // namespace

ChildCode end_code(int status) {
  if ((status & 0x7f) == 0) return ChildCode::kExited;
  return (status & 0x80) != 0 ? ChildCode::kDumped : ChildCode::kKilled;
}

int end_value(int status) {
  return (status & 0x7f) == 0 ? (status >> 8) & 0xff : status & 0x7f;
}

void describe(Process& child, ChildCode code, int number, WaitReport* r) {
  r->pid = child.pid();
  r->uid = child.credentials.uid;
  r->code = code;
  switch (code) {
    case ChildCode::kStopped:
    case ChildCode::kTrapped:
      r->wait_status = (number << 8) | 0x7f;
      r->value = number;
      break;
    case ChildCode::kContinued:
      r->wait_status = 0xffff;
      r->value = signal::kCont;
      break;
    case ChildCode::kExited:
      r->wait_status = child.exit_status() & 0xff00;
      r->value = (child.exit_status() >> 8) & 0xff;
      break;
    default:
      r->wait_status = child.exit_status() & 0xff;
      r->value = child.exit_status() & 0x7f;
  }
  LockGuard guard(child.lock);
  r->usage = child.children_usage;
  r->usage.add(child.dead_usage);
  for (const Thread& t : child.threads)
    r->usage.add(t);
}

void tell(Process& to, Process& child, u32 pid, int number, ChildCode code, int value) {
  signal::Info info;
  info.number = number;
  info.code = static_cast<int>(code);
  info.pid = pid;
  info.uid = child.credentials.uid;
  info.status = value;
  {
    LockGuard guard(child.lock);
    ResourceUsage used = child.dead_usage;
    for (const Thread& t : child.threads)
      used.add(t);
    info.user_time = time::cycles_to_ns(used.user_cycles) / (time::kSecond / 100);
    info.system_time = time::cycles_to_ns(used.system_cycles) / (time::kSecond / 100);
  }
  (void)signal::send(to, info).ok();  // SIGCHLD does not queue: it is pending already where this fails
}

bool ignores_children(Process& process) {
  const signal::Action action = action_of(process, signal::kChld);
  return action.handler == signal::kHandlerIgnore || (action.flags & signal::kNoChildWait) != 0;
}

void wake_waiters(Process& parent) {
  parent.child_events.fetch_add(1, std::memory_order_release);
  parent.child_queue.wake_all();
}

namespace {

Process& reaper_of(Process& gone) {
  for (Process* p = gone.parent; p != nullptr; p = p->parent) {
    if (p->child_subreaper && p->life.load() == Process::Life::kAlive && !p->exiting()) return *p;
  }
  return *Process::init();
}

// A group whose last link to the session's other groups goes: what is stopped in it would stay so for ever (POSIX,
// _exit).
void release_orphaned_group(Pid group, const Process& leaving, Process::AllList& all) {
  if (!Process::group_is_orphaned(group, &leaving)) return;
  bool stopped = false;
  for (Process& p : all)
    stopped = stopped || (p.group() == group && &p != &leaving && p.signals && p.signals->stopped.load());
  if (!stopped) return;
  signal::Info info;
  info.code = 0x80;  // SI_KERNEL
  for (const int number : {int{signal::kHup}, int{signal::kCont}}) {
    info.number = number;
    for (Process& p : all) {
      if (p.group() == group && &p != &leaving) (void)signal::send(p, info).ok();
    }
  }
}

}  // namespace

SpinLock& process_tree_lock() {
  return tree_lock;
}
WaitQueue& process_gone_queue() {
  return gone_queue;
}

Process::AllList& Process::all() {
  if (!all_ready) {
    all_ready = true;
    new (all_storage) AllList;
  }
  return *std::launder(reinterpret_cast<AllList*>(all_storage));
}

u32 Process::count() {
  return pids::process_count() + 1;
}

void Process::set_group(Pid group) {
  pids::add_user(group);
  pids::drop_user(exchange(group_, group));
}

void Process::set_session(Pid session) {
  pids::add_user(session);
  pids::drop_user(exchange(session_, session));
}

bool Process::group_exists(Pid group, Pid session) {
  for (const Process& p : all()) {
    if (p.group() == group && p.session() == session) return true;
  }
  return false;
}

bool Process::group_is_orphaned(Pid group, const Process* except) {
  for (const Process& p : all()) {
    if (p.group() != group || &p == except || p.life.load() != Life::kAlive || p.parent == nullptr) continue;
    const Process& parent = *p.parent;
    if (&parent != except && parent.pid() != Pid{1} && parent.group() != group && parent.session() == p.session())
      return false;
  }
  return true;
}

// Takes a zombie out of the tree for good. The caller drops what the table held, after the tree lock.
RefPtr<Process> reap_locked(Process& p) {
  RefPtr<Process> keep(&p);
  p.life = Process::Life::kReaped;
  if (p.parent != nullptr) {
    ResourceUsage used = p.children_usage;
    used.add(p.dead_usage);
    p.parent->children_usage.add(used);
    List<Process, &Process::sibling_node>::remove(p);
  }
  Process::AllList::remove(p);
  p.parent = nullptr;
  pids::drop_user(p.group());
  pids::drop_user(p.session());
  Thread* leader = nullptr;
  {
    LockGuard guard(p.lock);
    leader = exchange(p.leader, nullptr);
  }
  if (leader != nullptr) {
    // Its own reference is not the last one.
    if (trace::Tracee* traced = trace::of(*leader)) (void)trace::unlink(*traced);
    pids::retire_thread(leader->tid(), *leader);
    leader->unref();
  }
  pids::retire_process(p.pid());
  gone_queue.wake_all();
  return keep;
}

void become_zombie(Process& p) {
  WaitDrops drops;
  LockGuard guard(tree_lock);
  Process& reaper = reaper_of(p);
  while (Process* child = p.children.pop_front()) {
    child->linked_groups = child->session() == p.session() && child->group() != p.group();
    child->parent = &reaper;
    child->parent_pid_ = raw(reaper.pid());
    child->exit_signal = signal::kChld;
    reaper.children.push_back(*child);
    if (child->parent_death_signal != 0 && child->life.load() == Process::Life::kAlive) {
      signal::Info info;
      info.number = child->parent_death_signal;
      info.pid = raw(p.pid());
      info.uid = p.credentials.uid;
      (void)signal::send(*child, info).ok();
    }
    if (child->life.load() != Process::Life::kZombie) continue;
    if (child->leader != nullptr && trace::of(*child->leader) != nullptr) continue;  // its tracer sees it first
    if (&reaper == Process::init())
      (void)reap_locked(*child);
    else
      wake_waiters(reaper);
  }
  p.life = Process::Life::kZombie;
  for (Process& child : reaper.children) {
    if (exchange(child.linked_groups, false)) release_orphaned_group(child.group(), p, Process::all());
  }
  if (p.parent != nullptr && p.parent->group() != p.group() && p.parent->session() == p.session())
    release_orphaned_group(p.group(), p, Process::all());
  p.exit_queue.wake_all(fs::kPollIn | fs::kPollRdNorm);
  // Who traces it without being its parent is told first; the parent when that one has seen it (ptrace(2)).
  trace::Tracee* traced = p.leader != nullptr ? trace::of(*p.leader) : nullptr;
  if (traced != nullptr) {
    Process& tracer = traced->tracer.load()->process();
    if (&tracer != p.parent && !ignores_children(tracer)) {
      tell(tracer, p, raw(p.pid()), signal::kChld, end_code(p.exit_status()), end_value(p.exit_status()));
      return wake_waiters(tracer);
    }
    if (&tracer != p.parent) {
      drops.thread = trace::unlink(*traced);
      wake_waiters(tracer);
    }
  }
  drops.process = report_end(p);
}

RefPtr<Process> report_end(Process& p) {
  Process& parent = *p.parent;
  const signal::Action action = p.exit_signal == 0 ? signal::Action{} : action_of(parent, p.exit_signal);
  const bool quiet = p.exit_signal == signal::kChld &&
                     (action.handler == signal::kHandlerIgnore || (action.flags & signal::kNoChildWait) != 0);
  const bool adopted = &parent == Process::init();
  if (!adopted && p.exit_signal != 0 && !(p.exit_signal == signal::kChld && action.handler == signal::kHandlerIgnore))
    tell(parent, p, raw(p.pid()), p.exit_signal, end_code(p.exit_status()), end_value(p.exit_status()));
  RefPtr<Process> reaped;
  if (adopted || quiet) reaped = reap_locked(p);
  if (!adopted) wake_waiters(parent);
  return reaped;
}

namespace {

// Is the leader traced by a thread of another process than `parent`, or of `parent` itself?
enum class Traced : u8 { kNo, kByParent, kByOther };
Traced traced_by(const Process& child, const Process& parent) {
  const trace::Tracee* t = child.leader != nullptr ? trace::of(*child.leader) : nullptr;
  if (t == nullptr) return Traced::kNo;
  return &t->tracer.load()->process() == &parent ? Traced::kByParent : Traced::kByOther;
}

}  // namespace

Result<bool> try_wait(Process& parent, const WaitSelection& s, WaitReport* report) {
  RefPtr<Process> reaped;
  WaitDrops drops;
  LockGuard guard(tree_lock);
  bool any = false;
  if (!parent.tracees.empty() && try_wait_tracees(parent, s, report, &any, &drops)) return true;
  for (Process& child : parent.children) {
    if (!selected(child, s)) continue;
    any = true;
    const Traced traced = traced_by(child, parent);
    if (traced == Traced::kByParent) continue;  // try_wait_tracees has looked at it
    if (child.life.load() == Process::Life::kZombie) {
      if (!s.exited || traced != Traced::kNo) continue;
      describe(child, end_code(child.exit_status()), 0, report);
      if (!s.leave) reaped = reap_locked(child);
      return true;
    }
    if (s.stopped && child.stop_report != 0) {
      describe(child, ChildCode::kStopped, child.stop_report, report);
      if (!s.leave) child.stop_report = 0;
      return true;
    }
    if (s.continued && child.continue_report) {
      describe(child, ChildCode::kContinued, 0, report);
      if (!s.leave) child.continue_report = false;
      return true;
    }
  }
  if (!any) return Errno::NoChild;
  return false;
}

void report_stopped(Process& p, int number) {
  LockGuard guard(tree_lock);
  if (p.life.load() != Process::Life::kAlive || p.parent == nullptr) return;
  p.stop_report = number;
  p.continue_report = false;
  if (p.parent == Process::init() || traced_by(p, *p.parent) == Traced::kByParent) return;
  const signal::Action action = action_of(*p.parent, signal::kChld);
  if ((action.flags & signal::kNoChildStop) == 0)
    tell(*p.parent, p, raw(p.pid()), signal::kChld, ChildCode::kStopped, number);
  wake_waiters(*p.parent);
}

void report_continued(Process& p) {
  LockGuard guard(tree_lock);
  if (p.life.load() != Process::Life::kAlive || p.parent == nullptr) return;
  p.continue_report = true;
  p.stop_report = 0;
  if (p.parent == Process::init()) return;
  const signal::Action action = action_of(*p.parent, signal::kChld);
  if ((action.flags & signal::kNoChildStop) == 0)
    tell(*p.parent, p, raw(p.pid()), signal::kChld, ChildCode::kContinued, signal::kCont);
  wake_waiters(*p.parent);
}

u32 shown_parent(const Process& process) {
  return &process == Process::program() ? 0 : raw(process.parent_pid());
}

}  // namespace uni
