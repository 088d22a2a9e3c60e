// SPDX-License-Identifier: Apache-2.0
// What makes the content of the files of /proc: one function a file, in the files beside.
#pragma once

#include "kernel/fs/procfs/procfs.hpp"
#include "kernel/fs/pseudo_fs.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs::procfs {

using pseudo::Numbers;

// The process (and for task directories the thread) of a path. Errors: NoProcess.
Result<RefPtr<Process>> process_of(const Numbers& numbers);
struct Target {
  RefPtr<Process> process;
  RefPtr<Thread> thread;
};
Result<Target> target_of(const Numbers& numbers);

// Ticks of USER_HZ (100 a second).
u64 ticks(u64 cycles);

// --- system.cpp ---
Result<void> show_meminfo(Writer& out, const Numbers&);
Result<void> show_cpuinfo(Writer& out, const Numbers&);
Result<void> show_stat(Writer& out, const Numbers&);
Result<void> show_uptime(Writer& out, const Numbers&);
Result<void> show_loadavg(Writer& out, const Numbers&);
Result<void> show_version(Writer& out, const Numbers&);
Result<void> show_cmdline(Writer& out, const Numbers&);
Result<void> show_vmstat(Writer& out, const Numbers&);
Result<void> show_uuid(Writer& out, const Numbers&);
Result<void> show_boot_id(Writer& out, const Numbers&);
Result<void> show_file_nr(Writer& out, const Numbers&);

// --- process.cpp, process_status.cpp ---
Result<void> show_self(Writer& out, const Numbers&);
Result<void> show_thread_self(Writer& out, const Numbers&);
Result<void> show_process_stat(Writer& out, const Numbers&);
Result<void> show_statm(Writer& out, const Numbers&);
Result<void> show_status(Writer& out, const Numbers&);
Result<void> show_arguments(Writer& out, const Numbers&);
Result<void> show_environment(Writer& out, const Numbers&);
Result<void> show_auxv(Writer& out, const Numbers&);
Result<void> show_limits(Writer& out, const Numbers&);
Result<void> show_comm(Writer& out, const Numbers&);
Result<void> store_comm(StringView text, const Numbers&);
Result<void> show_oom_score_adj(Writer& out, const Numbers&);
Result<void> store_oom_score_adj(StringView text, const Numbers&);
Result<void> show_schedstat(Writer& out, const Numbers&);
Result<void> show_personality(Writer& out, const Numbers&);
Result<void> show_timer_slack(Writer& out, const Numbers&);
Result<void> store_timer_slack(StringView text, const Numbers&);
Result<void> show_last_pid(Writer& out, const Numbers&);
Result<void> store_last_pid(StringView text, const Numbers&);

// --- memory.cpp ---
Result<RefPtr<File>> open_memory(const Numbers&, u32 flags);
Result<void> show_call(Writer& out, const Numbers&);
Result<RefPtr<File>> open_page_map(const Numbers&, u32 flags);

// --- core_pattern.cpp ---
Result<void> show_core_pattern(Writer& out, const Numbers&);
Result<void> store_core_pattern(StringView text, const Numbers&);
Result<void> show_core_uses_pid(Writer& out, const Numbers&);
Result<void> store_core_uses_pid(StringView text, const Numbers&);
Result<void> show_core_filter(Writer& out, const Numbers&);
Result<void> store_core_filter(StringView text, const Numbers&);

// --- ping_range.cpp ---
Result<void> show_ping_range(Writer& out, const Numbers&);
Result<void> store_ping_range(StringView text, const Numbers&);

// --- maps.cpp ---
Result<void> show_maps(Writer& out, const Numbers&);
Result<i64> query_map(const Numbers&, u32 command, UserAddr argument);
Result<void> show_smaps(Writer& out, const Numbers&);
Result<void> show_smaps_rollup(Writer& out, const Numbers&);

// --- files.cpp ---
Result<void> show_exe(Writer& out, const Numbers&);
Result<RefPtr<Dentry>> follow_exe(const Numbers&);
Result<void> show_cwd(Writer& out, const Numbers&);
Result<RefPtr<Dentry>> follow_cwd(const Numbers&);
Result<void> show_root(Writer& out, const Numbers&);
Result<RefPtr<Dentry>> follow_root(const Numbers&);
Result<void> show_fd(Writer& out, const Numbers&);
Result<RefPtr<Dentry>> follow_fd(const Numbers&);
Result<void> show_fdinfo(Writer& out, const Numbers&);
Result<void> show_mounts(Writer& out, const Numbers&);
Result<void> show_mountinfo(Writer& out, const Numbers&);
Result<void> show_mountstats(Writer& out, const Numbers&);

// --- net.cpp ---
template <NetFile kFile>
Result<void> show_net(Writer& out, const Numbers&);

}  // namespace uni::fs::procfs
