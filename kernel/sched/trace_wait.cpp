// SPDX-License-Identifier: Apache-2.0
// wait(2) for what a process traces: stops, whatever their kind, and ends of threads. A process that ends is shown to
// its tracer first and then, where that is another one, to its parent.
#include "kernel/sched/children.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/trace.hpp"

namespace uni {
namespace {

// As Linux, what is traced is selected whatever its family.
bool selected(const trace::Tracee& t, const WaitSelection& s) {
  switch (s.kind) {
    case WaitSelection::Kind::kAny:
      return true;
    case WaitSelection::Kind::kPid:
      return raw(t.thread.tid()) == raw(s.number);
    case WaitSelection::Kind::kGroup:
      return t.thread.process().group() == s.number;
  }
  return false;
}

void describe_end(trace::Tracee& t, int status, WaitReport* report) {
  describe(t.thread.process(), ChildCode::kStopped, 0, report);
  report->code = end_code(status);
  report->value = end_value(status);
  report->wait_status = (status & 0x7f) == 0 ? status & 0xff00 : status & 0xff;
}

void reap(trace::Tracee& t, const Process& tracer, WaitDrops* drops) {
  Process& p = t.thread.process();
  const bool leads = !t.dead;
  drops->thread = trace::unlink(t);
  if (!leads)
    pids::retire_thread(t.thread.tid(), t.thread);
  else
    drops->process = p.parent == &tracer ? reap_locked(p) : report_end(p);
}

}  // namespace

bool try_wait_tracees(Process& tracer, const WaitSelection& s, WaitReport* report, bool* any, WaitDrops* drops) {
  for (trace::Tracee& t : tracer.tracees) {
    if (!selected(t, s)) continue;
    if (s.this_thread && t.tracer.load() != &Thread::current()) continue;
    *any = true;
    Process& p = t.thread.process();
    const bool zombie = p.leader == &t.thread && p.life.load() == Process::Life::kZombie;
    if (t.dead || zombie) {
      if (!s.exited) continue;
      describe_end(t, t.dead ? t.end_status : p.exit_status(), report);
      report->pid = Pid{raw(t.thread.tid())};
      if (!s.leave) reap(t, tracer, drops);
      return true;
    }
    if (t.stopped.load() && t.unreported) {
      describe(p, ChildCode::kTrapped, t.code, report);
      report->pid = Pid{raw(t.thread.tid())};
      if (!s.leave) t.unreported = false;
      return true;
    }
    if (s.continued && p.leader == &t.thread && p.continue_report) {
      describe(p, ChildCode::kContinued, 0, report);
      if (!s.leave) p.continue_report = false;
      return true;
    }
  }
  return false;
}

}  // namespace uni
