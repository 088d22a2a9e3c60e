// SPDX-License-Identifier: Apache-2.0
// The table of the one group (Linux Documentation/admin-guide/cgroup-v2.rst). Nothing can be written: the limits come
// from the manifest.
#include "kernel/fs/sysfs/cgroup.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/fs/pseudo_fs.hpp"
#include "kernel/fs/sysfs/sysfs.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/bandwidth.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs::cgroupfs {
namespace {

using pseudo::Numbers;
using pseudo::Row;

constexpr u64 kNone = ~u64{0};
constexpr u64 kMicrosecond = 1000;

u64 next_number(StringView, const Numbers&, u64) {
  return kNone;  // no row has one
}

void amount(Writer& out, u64 value) {
  if (value == kNone)
    out.write("max\n");
  else
    format(out, "{}\n", value);
}

u64 used_pages() {
  const mm::MemoryStats m = mm::memory_stats();
  return m.total_pages - min(m.total_pages, m.free_pages);
}

Result<void> show_cpu_max(Writer& out, const Numbers&) {
  const u64 quota = sched::bandwidth::stats().quota_ns;
  if (quota == kNone)
    out.write("max ");
  else
    format(out, "{} ", quota / kMicrosecond);
  format(out, "{}\n", sched::bandwidth::kPeriodNs / kMicrosecond);
  return {};
}

Result<void> show_cpu_stat(Writer& out, const Numbers&) {
  const u64 up = time::monotonic_ns();
  u64 used = 0;
  for (unsigned i = 0; i < sched::cpu_count(); ++i)
    used += up - min(up, time::cycles_to_ns(sched::idle_cycles(i)));
  const sched::bandwidth::Stats s = sched::bandwidth::stats();
  format(out,
         "usage_usec {}\nuser_usec {}\nsystem_usec 0\nnice_usec 0\nnr_periods {}\nnr_throttled {}\nthrottled_usec {}\n"
         "nr_bursts 0\nburst_usec 0\n",
         used / kMicrosecond, used / kMicrosecond, s.periods, s.throttled_periods, s.throttled_ns / kMicrosecond);
  return {};
}

Result<void> show_memory_max(Writer& out, const Numbers&) {
  amount(out, boot::limit("memory"));
  return {};
}

Result<void> show_memory_current(Writer& out, const Numbers&) {
  format(out, "{}\n", used_pages() * kPageSize);
  return {};
}

Result<void> show_memory_stat(Writer& out, const Numbers&) {
  const mm::MemoryStats m = mm::memory_stats();
  const u64 known = m.cached_pages + m.kernel_pages;
  format(out, "anon {}\nfile {}\nkernel {}\nfile_dirty 0\nfile_writeback 0\ninactive_file {}\nactive_file 0\n",
         (used_pages() - min(used_pages(), known)) * kPageSize, m.cached_pages * kPageSize, m.kernel_pages * kPageSize,
         m.cached_pages * kPageSize);
  return {};
}

Result<void> show_pids_max(Writer& out, const Numbers&) {
  amount(out, boot::limit("threads"));
  return {};
}

Result<void> show_pids_current(Writer& out, const Numbers&) {
  u32 threads = 0;
  Process::for_each([&](const Process& p) { threads += p.pid() == Pid{1} ? 0 : p.thread_count; });
  format(out, "{}\n", threads);
  return {};
}

Result<void> show_processes(Writer& out, const Numbers&) {
  Process::for_each([&](const Process& p) {
    if (p.pid() != Pid{1} && p.life.load() == Process::Life::kAlive) format(out, "{}\n", raw(p.pid()));
  });
  return {};
}

constexpr Row kRows[] = {
    Row::fixed("cgroup.controllers", "cpuset cpu memory pids\n"),
    Row::fixed("cgroup.subtree_control", "\n"),
    Row::fixed("cgroup.type", "domain\n"),
    Row::fixed("cgroup.events", "populated 1\nfrozen 0\n"),
    Row::fixed("cgroup.freeze", "0\n"),
    Row::fixed("cgroup.max.depth", "max\n"),
    Row::fixed("cgroup.max.descendants", "max\n"),
    Row::fixed("cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n"),
    Row::made("cgroup.procs", show_processes),
    Row::made("cpuset.cpus", sysfs::show_cpus),
    Row::made("cpuset.cpus.effective", sysfs::show_cpus),
    Row::fixed("cpuset.mems", "0\n"),
    Row::fixed("cpuset.mems.effective", "0\n"),
    Row::made("cpu.max", show_cpu_max),
    Row::fixed("cpu.max.burst", "0\n"),
    Row::fixed("cpu.idle", "0\n"),
    Row::fixed("cpu.weight", "100\n"),
    Row::fixed("cpu.weight.nice", "0\n"),
    Row::made("cpu.stat", show_cpu_stat),
    Row::made("memory.max", show_memory_max),
    Row::fixed("memory.high", "max\n"),
    Row::fixed("memory.low", "0\n"),
    Row::fixed("memory.min", "0\n"),
    Row::made("memory.current", show_memory_current),
    Row::made("memory.stat", show_memory_stat),
    Row::fixed("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n"),
    Row::fixed("memory.swap.max", "0\n"),
    Row::fixed("memory.swap.current", "0\n"),
    Row::made("pids.max", show_pids_max),
    Row::made("pids.current", show_pids_current),
};

constexpr pseudo::Table kTable = {kRows,  sizeof kRows / sizeof kRows[0], "cgroup2", 0x63677270, 0, next_number,
                                  nullptr};

}  // namespace

Result<RefPtr<FileSystem>> create() {
  return pseudo::create(kTable);
}

}  // namespace uni::fs::cgroupfs
