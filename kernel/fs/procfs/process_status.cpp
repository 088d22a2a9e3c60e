// SPDX-License-Identifier: Apache-2.0
// /proc/PID/stat, statm and status (proc_pid_stat(5), proc_pid_status(5)): the same facts in three shapes.
#include "kernel/dev/tty/tty.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/cpu_time.hpp"

namespace uni::fs::procfs {
namespace {

struct Facts {
  mm::AddressSpace::Usage memory{};
  u64 user_ns = 0, system_ns = 0;
  u64 minor_faults = 0, major_faults = 0;
  u32 threads = 0;
  char state = 'S';
  signal::Set pending = 0, shared = 0, blocked = 0, ignored = 0, caught = 0;
  u64 cpu_mask = 1;
  u64 voluntary = 0, involuntary = 0;
};

char state_of(const Thread& t) {
  if (&t == &Thread::current()) return 'R';
  const Process& p = t.process();
  if (p.life.load() >= Process::Life::kZombie) return 'Z';
  if (&p == Process::init()) return 'S';
  if (const trace::Tracee* traced = trace::of(t); traced != nullptr) {
    if (traced->stopped.load()) return 't';
  } else if (p.signals && p.signals->stopped.load()) {
    return 'T';
  }
  switch (t.state.load(std::memory_order_relaxed)) {
    case ThreadState::kRunnable:
    case ThreadState::kWaking:
      return 'R';
    case ThreadState::kSleeping:
      return 'S';
    case ThreadState::kDead:
      return 'Z';
  }
  return 'S';
}

constexpr u64 kTick = time::kSecond / 100;  // of USER_HZ

Facts gather(const Target& t, bool one_thread) {
  Facts f;
  Process& p = *t.process;
  RefPtr<mm::AddressSpace> space;
  RefPtr<signal::SignalState> signals;
  {
    LockGuard guard(p.lock);
    space = p.space;
    signals = p.signals;
    f.threads = p.thread_count;
    for (Thread& thread : p.threads) {
      if (one_thread && &thread != t.thread.get()) continue;
      f.minor_faults += thread.minor_faults;
      f.major_faults += thread.major_faults;
    }
  }
  const time::CpuTime used = one_thread ? time::cpu_time(*t.thread) : time::cpu_time(p);
  f.user_ns = used.user_ns;
  f.system_ns = used.system_ns;
  if (space) f.memory = space->usage();
  f.state = state_of(*t.thread);
  f.voluntary = t.thread->voluntary_switches;
  f.involuntary = t.thread->involuntary_switches;
  const unsigned cpus = sched::cpu_count();
  f.cpu_mask = t.thread->affinity & (cpus >= 64 ? ~u64{0} : (u64{1} << cpus) - 1);
  if (signals) {
    LockGuard guard(signals->lock);
    f.pending = t.thread->pending.set;
    f.shared = signals->shared.set;
    f.blocked = t.thread->blocked;
    for (int i = 0; i < signal::kCount; ++i) {
      if (signals->actions[i].handler == signal::kHandlerIgnore) f.ignored |= signal::bit(i + 1);
      if (signals->actions[i].handler > signal::kHandlerIgnore) f.caught |= signal::bit(i + 1);
    }
  }
  return f;
}

u32 tracer_of(const Thread& t) {
  LockGuard guard(process_tree_lock());
  const trace::Tracee* traced = trace::of(t);
  return traced == nullptr ? 0 : raw(traced->tracer.load()->process().pid());
}

// "0-3,5" of a mask.
void write_list(Writer& out, u64 mask) {
  bool first = true;
  for (unsigned i = 0; i < 64; ++i) {
    if ((mask >> i & 1) == 0) continue;
    unsigned end = i;
    while (end < 63 && (mask >> (end + 1) & 1) != 0)
      ++end;
    format(out, "{}{}", first ? "" : ",", i);
    if (end > i) format(out, "-{}", end);
    first = false;
    i = end;
  }
}

constexpr u64 kib(u64 pages) {
  return pages * (kPageSize / kKiB);
}

}  // namespace

Result<void> show_process_stat(Writer& out, const Numbers& numbers) {
  const Target t = TRY(target_of(numbers));
  const Facts f = gather(t, numbers.count > 1);
  const Process& p = *t.process;
  const Thread& leader = *t.thread;
  const u64 started = p.started_ns / (time::kSecond / 100);
  i32 foreground = -1;
  u64 terminal = 0;
  {
    LockGuard guard(process_tree_lock());
    if (p.terminal) {
      terminal = p.terminal->device();
      foreground = raw(p.terminal->foreground) == 0 ? -1 : static_cast<i32>(raw(p.terminal->foreground));
    }
  }
  format(out, "{} ({}) {} {} {} {} {} {} 4194304 ", numbers.count > 1 ? raw(leader.tid()) : raw(p.pid()),
         StringView(leader.name), f.state, shown_parent(p), p.group(), p.session(), terminal, foreground);
  format(out, "{} 0 {} 0 {} {} 0 0 {} {} {} 0 {} ", f.minor_faults, f.major_faults, f.user_ns / kTick,
         f.system_ns / kTick, leader.priority > 0 ? -1 - leader.priority : 20 + leader.nice, leader.nice, f.threads,
         started);
  format(out, "{} {} {} 0 0 0 0 0 ", f.memory.mapped_pages * kPageSize, f.memory.resident_pages,
         p.limits[kLimitRss].soft);
  // Only the first 32 signals fit here; wchan, nswap and cnswap are 0; exit_signal is SIGCHLD.
  format(out, "{} {} {} {} 0 0 0 17 {} {} {} 0 0 0 ", f.pending & 0x7FFFFFFF, f.blocked & 0x7FFFFFFF,
         f.ignored & 0x7FFFFFFF, f.caught & 0x7FFFFFFF, leader.cpu.load(std::memory_order_relaxed),
         u32{leader.rt_priority}, static_cast<u32>(leader.policy));
  const u64 break_start = p.space ? p.space->break_start : 0;
  format(out, "0 0 {} {} {} {} {} {}\n", break_start, p.arg_start, p.arg_end, p.env_start, p.env_end, p.exit_status());
  return {};
}

Result<void> show_statm(Writer& out, const Numbers& numbers) {
  const Target t = TRY(target_of(numbers));
  const auto m = gather(t, false).memory;
  format(out, "{} {} {} {} 0 {} 0\n", m.mapped_pages, m.resident_pages, m.shared_pages, m.text_pages,
         m.data_pages + m.stack_pages);
  return {};
}

Result<void> show_status(Writer& out, const Numbers& numbers) {
  const Target t = TRY(target_of(numbers));
  const Facts f = gather(t, numbers.count > 1);
  Process& p = *t.process;
  StringView state;
  switch (f.state) {
    case 'R':
      state = "R (running)";
      break;
    case 'T':
      state = "T (stopped)";
      break;
    case 't':
      state = "t (tracing stop)";
      break;
    case 'Z':
      state = "Z (zombie)";
      break;
    default:
      state = "S (sleeping)";
  }
  const RefPtr<FsContext> directories = Process::fs_of(*t.thread);
  const u32 umask = directories ? directories->umask.load(std::memory_order_relaxed) : 022;
  format(out, "Name:\t{}\nUmask:\t{:04o}\nState:\t{}\nTgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t{}\n",
         StringView(t.thread->name), umask, state, p.pid(), numbers.count > 1 ? raw(t.thread->tid()) : raw(p.pid()),
         shown_parent(p), tracer_of(*t.thread));
  const Credentials& c = p.credentials;
  format(out, "Uid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t{}\nGroups:\t", c.uid, c.euid, c.suid, c.fsuid,
         c.gid, c.egid, c.sgid, c.fsgid, 64);
  for (const u32 group : c.groups)
    format(out, "{} ", group);
  format(out, "\nNStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\n", p.pid(), raw(t.thread->tid()), p.group(),
         p.session());
  const auto& m = f.memory;
  const auto memory = [&](StringView name, u64 pages) { format(out, "{}\t{:>8} kB\n", name, kib(pages)); };
  memory("VmPeak:", m.peak_mapped);
  memory("VmSize:", m.mapped_pages);
  memory("VmLck:", m.locked_pages);
  memory("VmPin:", 0);
  memory("VmHWM:", m.peak_resident);
  memory("VmRSS:", m.resident_pages);
  memory("RssAnon:", m.resident_pages - min(m.resident_pages, m.shared_pages));
  memory("RssFile:", m.shared_pages);
  memory("RssShmem:", 0);
  memory("VmData:", m.data_pages);
  memory("VmStk:", m.stack_pages);
  memory("VmExe:", m.text_pages);
  memory("VmLib:", 0);
  memory("VmPTE:", 0);
  memory("VmSwap:", 0);
  memory("HugetlbPages:", 0);
  format(out, "CoreDumping:\t0\nTHP_enabled:\t1\nThreads:\t{}\n", f.threads);
  format(out, "SigQ:\t{}/{}\n", p.signals ? p.signals->queued_count : 0, p.limits[kLimitSignals].soft);
  format(out, "SigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n", f.pending,
         f.shared, f.blocked, f.ignored, f.caught);
  constexpr u64 kAllCapabilities = 0x1FFFFFFFFFF;
  format(out, "CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n",
         c.cap_inheritable & kAllCapabilities, c.cap_permitted & kAllCapabilities, c.cap_effective & kAllCapabilities,
         c.cap_bounding & kAllCapabilities, c.cap_ambient & kAllCapabilities);
  format(out, "NoNewPrivs:\t{}\nSeccomp:\t{}\nSeccomp_filters:\t{}\n", p.no_new_privileges ? 1 : 0,
         u32{t.thread->seccomp_mode.load(std::memory_order_relaxed)}, t.thread->seccomp_filters);
  format(out, "Cpus_allowed:\t{:x}\nCpus_allowed_list:\t", f.cpu_mask);
  write_list(out, f.cpu_mask);
  format(out,
         "\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
         f.voluntary, f.involuntary);
  return {};
}

}  // namespace uni::fs::procfs
