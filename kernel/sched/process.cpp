// SPDX-License-Identifier: Apache-2.0
// Processes: creation and lookup. The first two are init, which the kernel keeps for itself, and the image's program.
#include "kernel/sched/process.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/tty/tty.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/sched/trace.hpp"

namespace uni {
namespace {
Process* init_process = nullptr;
Process* program_process = nullptr;

// The hard limit of RLIMIT_NOFILE: fs.nr_open where there are 2 GiB of memory or more, else one descriptor for every 2
// KiB. Programs make tables of as many entries before they open anything (haproxy: 128 MiB for fs.nr_open).
u64 most_files() {
  constexpr u64 kMost = 1024 * 1024, kMemoryPerFile = 2 * kKiB;
  const u64 room = mm::memory_stats().total_pages * kPageSize / kMemoryPerFile;
  return min(max(room, u64{fs::FileTable::kFirstLimit}), kMost);
}

void set_first_limits(Process& p) {
  for (Limit& l : p.limits)
    l = {kUnlimited, kUnlimited};
  p.limits[kLimitStack] = {8 * kMiB, kUnlimited};
  p.limits[kLimitCore] = {0, kUnlimited};
  const u64 files = min(most_files(), boot::limit("files"));
  p.limits[kLimitFiles] = {min<u64>(fs::FileTable::kFirstLimit, files), files};
  p.limits[kLimitData] = {boot::limit("memory"), boot::limit("memory")};
  p.limits[kLimitProcesses] = {pids::most_threads(), pids::most_threads()};
  p.limits[kLimitLocked] = {8 * kMiB, 8 * kMiB};
  p.limits[kLimitSignals] = {8192, 8192};
  p.limits[kLimitMessageQueue] = {819200, 819200};
  p.limits[kLimitNice] = {0, 0};
  p.limits[kLimitRtPriority] = {0, 0};
}

Result<void> inherit(Process& child, Process& parent) {
  LockGuard guard(parent.lock);
  const Credentials& c = parent.credentials;
  TRY(child.credentials.groups.resize(c.groups.size()));
  for (usize i = 0; i < c.groups.size(); ++i)
    child.credentials.groups[i] = c.groups[i];
  child.credentials.uid = c.uid, child.credentials.euid = c.euid;
  child.credentials.suid = c.suid, child.credentials.fsuid = c.fsuid;
  child.credentials.gid = c.gid, child.credentials.egid = c.egid;
  child.credentials.sgid = c.sgid, child.credentials.fsgid = c.fsgid;
  child.credentials.cap_permitted = c.cap_permitted, child.credentials.cap_effective = c.cap_effective;
  child.credentials.cap_inheritable = c.cap_inheritable, child.credentials.cap_bounding = c.cap_bounding;
  child.credentials.cap_ambient = c.cap_ambient;
  for (unsigned i = 0; i < kLimitCount; ++i)
    child.limits[i] = parent.limits[i];
  child.executable = TRY(String::copy(parent.executable.view()));
  child.executable_file = parent.executable_file;
  TRY(child.auxv.resize(parent.auxv.size()));
  for (usize i = 0; i < parent.auxv.size(); ++i)
    child.auxv[i] = parent.auxv[i];
  child.arg_start = parent.arg_start, child.arg_end = parent.arg_end;
  child.env_start = parent.env_start, child.env_end = parent.env_end;
  child.dumpable = parent.dumpable;
  child.core_filter = parent.core_filter;
  child.personality = parent.personality;
  child.no_new_privileges = parent.no_new_privileges;
  child.secure_bits = parent.secure_bits;
  child.huge_pages_disabled = parent.huge_pages_disabled;
  child.oom_score_adj = parent.oom_score_adj;
  return {};
}

}  // namespace

Process* Process::init() {
  return init_process;
}
Process* Process::program() {
  return program_process;
}

RefPtr<Process> Process::find(Pid pid) {
  return pids::find_process(pid);
}
RefPtr<Thread> Process::find_thread(Tid tid) {
  return pids::find_thread(tid);
}

Result<RefPtr<Process>> ProcessAccess::create(Process* parent) {
  auto* process = new (std::nothrow) Process();
  if (process == nullptr) return Errno::NoMemory;
  auto p = RefPtr<Process>::adopt(process);
  p->started_ns = time::monotonic_ns();
  if (parent != nullptr)
    TRY(inherit(*p, *parent));
  else
    set_first_limits(*p);
  return p;
}

Result<void> ProcessAccess::create_init() {
  auto p = TRY(create(nullptr));
  auto t = TRY(ThreadAccess::create_idle(0));
  constexpr StringView kName = "init";
  __builtin_memcpy(t->name, kName.data(), kName.size());
  // It never runs: nothing may queue it.
  t->state = ThreadState::kDead;
  t->on_cpu = false;
  p->signals = TRY(make_ref<signal::SignalState>());
  p->pid_ = p->group_ = p->session_ = Pid{1};
  ThreadAccess::adopt(*t, *p);
  p->leader = t.get();
  TRY(pids::place(Pid{1}, *p, *t));
  p->life = Process::Life::kAlive;
  LockGuard guard(process_tree_lock());
  Process::all().push_back(*p);
  init_process = p.leak();
  (void)t.leak();
  return {};
}

Result<void> ProcessAccess::enter_tree(Process& p, Process& parent, Pid pid) {
  LockGuard guard(process_tree_lock());
  // A parent that has begun to end has given its children away already, or is about to: a child of it goes to init.
  Process& home = parent.life.load() == Process::Life::kZombie ? *init_process : parent;
  p.pid_ = pid;
  p.parent = &home;
  p.parent_pid_ = raw(home.pid_);
  const bool first = &parent == init_process;  // the program leads a group and a session of its own
  p.group_ = first ? pid : parent.group_;
  p.session_ = first ? pid : parent.session_;
  p.terminal = parent.terminal;
  p.maker = Thread::current().tid();
  pids::add_user(p.group_);
  pids::add_user(p.session_);
  home.children.push_back(p);
  Process::all().push_back(p);
  p.life = Process::Life::kAlive;
  if (first) program_process = &p;
  return {};
}

Process::~Process() = default;

void Process::begin_exit(int wait_status) {
  bool expected = false;
  if (!exiting_.compare_exchange_strong(expected, true, std::memory_order_acq_rel)) return;
  exit_status_ = wait_status;
  LockGuard guard(lock);
  for (Thread& t : threads) {
    t.must_exit.store(true, std::memory_order_release);
    t.attention.store(true, std::memory_order_release);
    if (&t != &Thread::current()) sched::kick(t);
  }
  if (!signals) return;
  signals->stopped = false;
  signals->stop_queue.wake_all();
}

Result<void> Process::become_only_thread() {
  Thread& self = Thread::current();
  {
    LockGuard guard(lock);
    if (exiting() || exec_thread != nullptr) return Errno::RestartNoIntr;
    exec_thread = &self;
    for (Thread& t : threads) {
      if (&t == &self) continue;
      t.must_exit.store(true, std::memory_order_release);
      t.attention.store(true, std::memory_order_release);
      sched::kick(t);
    }
  }
  auto alone = [this] {
    LockGuard guard(lock);
    return thread_count == 1;
  };
  const Wake woken = exec_queue.wait(alone, time::kNever, Sleep::kKillable);
  RefPtr<fs::FsContext> unused;
  if (woken == Wake::kReady && leader != &self) trace::forget(*leader);
  LockGuard guard(lock);
  exec_thread = nullptr;
  if (woken == Wake::kSignal || exiting()) return Errno::RestartNoIntr;
  if (self.own_fs) {
    unused = uni::move(fs);
    fs = uni::move(self.own_fs);
  }
  if (leader != &self) {
    // The old leader has ended: this thread takes its number and its place.
    Thread* old = leader;
    const Tid own = self.tid();
    ThreadAccess::set_tid(self, old->tid());
    pids::take_over(old->tid(), own, self);
    self.ref();
    leader = &self;
    old->unref();
  }
  return {};
}

Result<void> Process::unshare_files() {
  if (files->ref_count() == 1) return {};
  RefPtr<fs::FileTable> own = TRY(files->copy());
  LockGuard guard(lock);
  uni::swap(files, own);
  return {};
}

const RefPtr<fs::FsContext>& Process::current_fs() {
  const Thread& self = Thread::current();
  return self.own_fs ? self.own_fs : self.process().fs;
}

RefPtr<fs::FsContext> Process::fs_of(const Thread& thread) {
  LockGuard guard(thread.process().lock);
  return thread.own_fs ? thread.own_fs : thread.process().fs;
}

Result<void> Process::unshare_fs() {
  Thread& self = Thread::current();
  const RefPtr<fs::FsContext>& shared = current_fs();
  const bool alone = thread_count == 1 || self.own_fs;
  if (alone && shared->ref_count() == 1) return {};
  RefPtr<fs::FsContext> own = TRY(shared->copy());
  LockGuard guard(lock);
  uni::swap(thread_count == 1 && !self.own_fs ? fs : self.own_fs, own);
  return {};
}

void ResourceUsage::add(const ResourceUsage& o) {
  user_cycles += o.user_cycles;
  system_cycles += o.system_cycles;
  minor_faults += o.minor_faults;
  major_faults += o.major_faults;
  voluntary_switches += o.voluntary_switches;
  involuntary_switches += o.involuntary_switches;
  peak_resident_pages = max(peak_resident_pages, o.peak_resident_pages);
}

void ResourceUsage::add(const Thread& t) {
  user_cycles += t.user_cycles;
  system_cycles += t.system_cycles;
  minor_faults += t.minor_faults;
  major_faults += t.major_faults;
  voluntary_switches += t.voluntary_switches;
  involuntary_switches += t.involuntary_switches;
}

}  // namespace uni
