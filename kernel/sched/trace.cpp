// SPDX-License-Identifier: Apache-2.0
// The tracer's side: who may trace whom, the beginning and the end of it, letting a stopped tracee go on. The tracee's
// side is trace_stop.cpp, waiting is trace_wait.cpp.
#include "kernel/sched/trace.hpp"

#include "kernel/sched/children.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::trace {
namespace {

constexpr unsigned kCapSysPtrace = 19;

bool in_process(Thread& thread) {
  LockGuard guard(thread.process().lock);
  return thread.process_node.linked();
}

Result<Tracee*> record_of(Thread& thread) {
  Tracee* known = thread.tracee.load();
  if (known != nullptr) return known;
  auto* made = new (std::nothrow) Tracee(thread);
  if (made == nullptr) return Errno::NoMemory;
  thread.tracee.store(made, std::memory_order_release);
  return made;
}

void link(Tracee& t, Thread& tracer, bool seized, u32 options) {
  Process& process = t.thread.process();
  t.thread.ref();
  t.seized = seized;
  t.options = options;
  t.tracer_capable = tracer.process().credentials.capable(kCapSysPtrace);
  t.dead = t.stopped = t.listening = t.unreported = false;
  t.trap_due = t.notice_due = t.kill_again = false;
  t.how = Resume::kRun;
  t.step = false;
  t.stop_seen = process.signals->stop_count.load();
  t.tracer = &tracer;
  process.traced.fetch_add(1);
  tracer.process().tracees.push_back(t);
}

void call_attention(Thread& thread) {
  thread.attention.store(true, std::memory_order_seq_cst);
  if (&thread != &Thread::current()) sched::kick(thread);
}

void wake_up(Tracee& t) {
  t.stopped = false;
  t.listening = false;
  t.unreported = false;
  t.queue.wake_all();
}

bool is_zombie_leader(const Tracee& t) {
  const Process& p = t.thread.process();
  return p.leader == &t.thread && p.life.load() == Process::Life::kZombie;
}

// The tracer has gone: needs the lock.
WaitDrops let_go(Tracee& t) {
  WaitDrops drops;
  Process& p = t.thread.process();
  Process& tracer = t.tracer.load()->process();
  if ((t.options.load() & kExitKill) != 0) p.begin_exit(signal::kKill);
  const bool zombie = is_zombie_leader(t), dead = t.dead;
  drops.thread = unlink(t);
  if (dead) {
    pids::retire_thread(t.thread.tid(), t.thread);
  } else if (zombie) {
    if (p.parent != &tracer) drops.process = report_end(p);
  } else {
    t.signal = t.at_signal ? t.code : 0;
    wake_up(t);
    call_attention(t.thread);
  }
  return drops;
}

}  // namespace

bool may_access(Process& target, Ids ids) {
  Process& self = Process::current();
  if (&target == &self) return true;
  if (!landlock::may_trace(Thread::current().landlock.get(), landlock::domain_of(target).get())) return false;
  const Credentials& mine = self.credentials;
  if (mine.capable(kCapSysPtrace)) return true;
  const u32 uid = ids == Ids::kReal ? mine.uid : mine.fsuid;
  const u32 gid = ids == Ids::kReal ? mine.gid : mine.fsgid;
  LockGuard guard(target.lock);
  const Credentials& theirs = target.credentials;
  const bool same = uid == theirs.euid && uid == theirs.suid && uid == theirs.uid && gid == theirs.egid &&
                    gid == theirs.sgid && gid == theirs.gid;
  // A tracer may not have less than its tracee (commoncap's cap_ptrace_access_check).
  const u64 held = ids == Ids::kReal ? mine.cap_permitted : mine.cap_effective;
  return same && target.dumpable == 1 && (theirs.cap_permitted & ~held) == 0;
}

Result<void> attach(Thread& target, bool seize, u32 options) {
  Process& p = target.process();
  if (&p == &Process::current() || &p == Process::init()) return Errno::NotPermitted;
  if (!may_access(p, Ids::kReal)) return Errno::NotPermitted;
  {
    LockGuard guard(process_tree_lock());
    if (p.life.load() != Process::Life::kAlive || !in_process(target)) return Errno::NotPermitted;
    if (of(target) != nullptr) return Errno::NotPermitted;
    Tracee& t = *TRY(record_of(target));
    link(t, Thread::current(), seize, options);
    // A process that is stopped already shows that at once.
    if (p.signals->stopped.load()) t.stop_seen = p.signals->stop_count.load() - 1;
  }
  if (!seize) {
    signal::Info info;
    info.number = signal::kStop;
    info.code = 0x80;  // SI_KERNEL
    TRY(signal::send(target, info));
  }
  const bool in_stop = p.signals->stopped.load();
  call_attention(target);
  p.signals->stop_queue.wake_all();
  // What stands still is a stopped tracee when this returns, as on Linux; it only has to wake up for that.
  constexpr u64 kPatience = time::kSecond;
  const Tracee& t = *target.tracee.load();
  if (in_stop)
    (void)Process::current().child_queue.wait([&] { return t.stopped.load() || of(target) == nullptr; },
                                              time::deadline_after(kPatience), Sleep::kKillable);
  return {};
}

Result<void> trace_me() {
  Thread& self = Thread::current();
  Process& process = self.process();
  LockGuard guard(process_tree_lock());
  Process& parent = *process.parent;
  // Init waits for nobody.
  if (of(self) != nullptr || &parent == Process::init()) return Errno::NotPermitted;
  // A thread leaves the list before it lets go of what it traces, so under this lock it will see the new one.
  LockGuard parent_guard(parent.lock);
  Thread* tracer = nullptr;
  for (Thread& t : parent.threads) {
    if (tracer == nullptr || t.tid() == process.maker) tracer = &t;
  }
  if (tracer == nullptr) return Errno::NotPermitted;  // it is ending
  if (!landlock::may_trace(tracer->landlock.get(), self.landlock.get())) return Errno::NotPermitted;
  link(*TRY(record_of(self)), *tracer, false, 0);
  return {};
}

void inherit(Thread& maker, Thread& child) {
  LockGuard guard(process_tree_lock());
  const Tracee* from = of(maker);
  if (from == nullptr || of(child) != nullptr) return;
  auto record = record_of(child);
  if (!record.ok()) return;
  Tracee& t = *record.value();
  link(t, *from->tracer.load(), from->seized, from->options.load());
  t.tracer_capable = from->tracer_capable;
  if (t.seized) {
    t.trap_due = true;
    call_attention(child);
  } else {
    signal::post_bare(child, signal::kStop);
  }
}

Result<Tracee*> stopped_locked(Thread& thread, bool may_listen) {
  Tracee* t = of(thread);
  if (t == nullptr || t->tracer.load() != &Thread::current()) return Errno::NoProcess;
  if (!t->stopped.load() || (t->listening.load() && !may_listen)) return Errno::NoProcess;
  return t;
}

void resume(Tracee& t, Resume how, bool step, int signal) {
  t.how = how;
  t.step = step;
  t.signal = signal;
  wake_up(t);
}

Result<void> detach(Thread& thread, int signal) {
  RefPtr<Thread> keep;
  LockGuard guard(process_tree_lock());
  Tracee& t = *TRY(stopped_locked(thread, false));
  keep = unlink(t);
  thread.attention.store(true, std::memory_order_seq_cst);  // a stop of its process holds it now
  t.signal = signal;
  wake_up(t);
  return {};
}

Result<void> interrupt(Thread& thread) {
  LockGuard guard(process_tree_lock());
  Tracee* t = of(thread);
  if (t == nullptr || t->tracer.load() != &Thread::current() || t->dead || !in_process(thread)) return Errno::NoProcess;
  if (!t->seized) return Errno::Io;
  t->trap_due = true;
  call_attention(thread);
  if (t->listening.load()) t->queue.wake_all();
  return {};
}

Result<void> listen(Thread& thread) {
  LockGuard guard(process_tree_lock());
  Tracee& t = *TRY(stopped_locked(thread, false));
  if (!t.seized || t.code >> 8 != kEventStop) return Errno::Io;
  t.unreported = false;
  t.listening = true;
  if (t.notice_due.load()) t.queue.wake_all();
  return {};
}

RefPtr<Thread> unlink(Tracee& t) {
  TraceeList::remove(t);
  t.tracer = nullptr;
  t.options = 0;
  t.how = Resume::kRun;
  t.step = false;
  t.trap_due = t.notice_due = false;
  t.dead = false;
  t.thread.process().traced.fetch_sub(1);
  return RefPtr<Thread>::adopt(&t.thread);
}

void tracer_ends(Thread& tracer) {
  Process& process = tracer.process();
  if (process.tracees.empty()) return;
  for (;;) {
    WaitDrops drops;
    LockGuard guard(process_tree_lock());
    Tracee* mine = nullptr;
    for (Tracee& t : process.tracees) {
      if (t.tracer.load() == &tracer) mine = &t;
    }
    if (mine == nullptr) return;
    drops = let_go(*mine);
  }
}

void release_exit_stops(Process& process) {
  LockGuard guard(process.lock);
  for (Thread& thread : process.threads) {
    Tracee* t = thread.tracee.load();
    if (t == nullptr) continue;
    t->kill_again = true;
    t->queue.wake_all();
  }
}

void group_continued(Process& process) {
  for (Thread& thread : process.threads) {
    Tracee* t = of(thread);
    if (t == nullptr || !t->seized) continue;
    t->notice_due = true;
    call_attention(thread);
    t->queue.wake_all();
  }
}

}  // namespace uni::trace
