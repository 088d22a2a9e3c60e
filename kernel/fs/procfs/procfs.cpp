// SPDX-License-Identifier: Apache-2.0
// The table of /proc. A row with text never changes; the values under sys/ are this kernel's own limits, or Linux's
// defaults where there is no such limit. Rows of one directory stand together.
#include "kernel/fs/procfs/procfs.hpp"

#include "kernel/boot/machine_name.hpp"
#include "kernel/fs/lease.hpp"
#include "kernel/fs/mount.hpp"
#include "kernel/fs/namespace_file.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/pipe.hpp"
#include "kernel/fs/procfs/ipc_rows.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::fs::procfs {
namespace {

using pseudo::Row;
using pseudo::RowKind;

constexpr u64 kHighestPid = 32768;

u64 next_thread(Process& process, u64 from) {
  u64 best = ~u64{0};
  LockGuard guard(process.lock);
  for (Thread& t : process.threads) {
    const u64 tid = raw(t.tid());
    if (tid >= from && tid < best) best = tid;
  }
  return best;
}

u64 next_number(StringView kind, const Numbers& outer, u64 from) {
  if (kind == "pid"_sv) {
    // A thread's number finds its process too, but is not listed; the first component decides.
    for (u64 pid = max(from, u64{1}); pid <= kHighestPid; ++pid) {
      if (Process::find(Pid{static_cast<u32>(pid)})) return pid;
    }
    return ~u64{0};
  }
  auto process = process_of(outer);
  if (!process.ok()) return ~u64{0};
  if (kind == "tid"_sv) return next_thread(*process.value(), from);
  RefPtr<FileTable> files;
  {
    LockGuard guard(process.value()->lock);
    files = process.value()->files;
  }
  if (!files || from > 0x7FFFFFFF) return ~u64{0};
  const int fd = files->next_open(static_cast<int>(from));
  return fd < 0 ? ~u64{0} : static_cast<u64>(fd);
}

void owner(const Numbers& numbers, u32& uid, u32& gid) {
  auto process = process_of(numbers);
  // What may not be dumped is nobody's to look at (proc(5), "/proc/pid").
  if (!process.ok() || process.value()->dumpable != 1) return;
  uid = process.value()->credentials.euid;
  gid = process.value()->credentials.egid;
}

u64 mark(u64 pid) {
  const RefPtr<Process> process = Process::find(Pid{static_cast<u32>(pid)});
  return process ? process->started_ns : 0;
}

constexpr Row text(StringView path, StringView content, u16 mode = 0444) {
  Row r{path};
  r.text = content;
  r.mode = mode;
  return r;
}
constexpr Row file(StringView path, pseudo::Show show, u16 mode = 0444) {
  Row r{path};
  r.show = show;
  r.mode = mode;
  return r;
}
// Tells who polls it that the tree of mounts has changed.
constexpr Row mount_list(StringView path, pseudo::Show show) {
  Row r{path};
  r.show = show;
  r.changes = mount_changes;
  r.waiting = mount_queue;
  return r;
}
constexpr Row controlled(StringView path, pseudo::Show show, pseudo::Control control) {
  Row r{path};
  r.show = show;
  r.control = control;
  return r;
}
constexpr Row writable(StringView path, pseudo::Show show, pseudo::Store store, u16 mode = 0644) {
  Row r{path};
  r.show = show;
  r.store = store;
  r.mode = mode;
  return r;
}
constexpr Row opened(StringView path, pseudo::Open open, u16 mode) {
  Row r{path};
  r.open = open;
  r.mode = mode;
  return r;
}
constexpr Row link(StringView path, pseudo::Show show, pseudo::Follow follow = nullptr) {
  Row r{path};
  r.show = show;
  r.follow = follow;
  r.kind = RowKind::kLink;
  return r;
}
constexpr Row fixed_link(StringView path, StringView target) {
  Row r{path};
  r.text = target;
  r.kind = RowKind::kLink;
  return r;
}
template <NamespaceFile::Type kType>
Result<RefPtr<Dentry>> follow_namespace(const Numbers&) {
  const RefPtr<NamespaceFile> file = TRY(make_ref<NamespaceFile>(kType));
  return dentry_for(*file);
}
template <NamespaceFile::Type kType>
Result<void> show_namespace(Writer& out, const Numbers&) {
  const RefPtr<NamespaceFile> file = TRY(make_ref<NamespaceFile>(kType));
  char text[40];
  out.write({text, file->describe(text)});
  return {};
}
constexpr Row directory(StringView path) {
  Row r{path};
  r.kind = RowKind::kDirectory;
  return r;
}
// /proc/PID/task/TID shows what /proc/PID shows, of one thread.
constexpr Row task() {
  Row r{"<pid>/task/<tid>"};
  r.kind = RowKind::kDirectory;
  r.alias = "<pid>";
  r.first_only = true;
  return r;
}

Result<void> show_largest_pipe(Writer& out, const Numbers&) {
  return show_limit(out, g_largest_pipe);
}
Result<void> store_largest_pipe(StringView text, const Numbers&) {
  std::atomic<u64> wanted{0};
  TRY(store_limit(text, wanted, 0, u64{1} << 31));
  g_largest_pipe.store(Pipe::rounded(static_cast<usize>(wanted.load())), std::memory_order_relaxed);
  return {};
}

template <boot::NameOf kWhich>
constexpr Row name_row(StringView path) {
  return writable(
      path,
      [](Writer& out, const Numbers&) -> Result<void> {
        format(out, "{}\n", StringView(boot::machine_name(kWhich).text));
        return {};
      },
      [](StringView text, const Numbers&) -> Result<void> {
        boot::set_machine_name(kWhich, {text.data(), min(text.size(), boot::MachineName::kMost)});
        return {};
      });
}

// What the limits can be set to.
constexpr u64 kIntMost = 0x7fffffff, kMost = ~u64{0}, kMostIds = 32768, kMostQueueMessage = 16 * kMiB;

constexpr Row kRows[] = {
    link("self", show_self),
    link("thread-self", show_thread_self),
    fixed_link("mounts", "self/mounts"),
    fixed_link("net", "self/net"),

    link("<pid>/exe", show_exe, follow_exe),
    link("<pid>/cwd", show_cwd, follow_cwd),
    link("<pid>/root", show_root, follow_root),
    link("<pid>/ns/cgroup", show_namespace<NamespaceFile::kCgroup>, follow_namespace<NamespaceFile::kCgroup>),
    link("<pid>/ns/ipc", show_namespace<NamespaceFile::kIpc>, follow_namespace<NamespaceFile::kIpc>),
    link("<pid>/ns/mnt", show_namespace<NamespaceFile::kMount>, follow_namespace<NamespaceFile::kMount>),
    link("<pid>/ns/net", show_namespace<NamespaceFile::kNetwork>, follow_namespace<NamespaceFile::kNetwork>),
    link("<pid>/ns/pid", show_namespace<NamespaceFile::kPid>, follow_namespace<NamespaceFile::kPid>),
    link("<pid>/ns/pid_for_children", show_namespace<NamespaceFile::kPid>, follow_namespace<NamespaceFile::kPid>),
    link("<pid>/ns/time", show_namespace<NamespaceFile::kTime>, follow_namespace<NamespaceFile::kTime>),
    link("<pid>/ns/time_for_children", show_namespace<NamespaceFile::kTime>, follow_namespace<NamespaceFile::kTime>),
    link("<pid>/ns/user", show_namespace<NamespaceFile::kUser>, follow_namespace<NamespaceFile::kUser>),
    link("<pid>/ns/uts", show_namespace<NamespaceFile::kUts>, follow_namespace<NamespaceFile::kUts>),
    controlled("<pid>/maps", show_maps, query_map),
    file("<pid>/smaps", show_smaps),
    file("<pid>/smaps_rollup", show_smaps_rollup),
    file("<pid>/stat", show_process_stat),
    file("<pid>/statm", show_statm),
    file("<pid>/status", show_status),
    file("<pid>/cmdline", show_arguments),
    file("<pid>/environ", show_environment, 0400),
    file("<pid>/auxv", show_auxv, 0400),
    file("<pid>/limits", show_limits),
    mount_list("<pid>/mounts", show_mounts),
    mount_list("<pid>/mountinfo", show_mountinfo),
    file("<pid>/mountstats", show_mountstats, 0400),
    file("<pid>/schedstat", show_schedstat),
    writable("<pid>/timerslack_ns", show_timer_slack, store_timer_slack, 0666),
    writable("<pid>/comm", show_comm, store_comm),
    writable("<pid>/oom_score_adj", show_oom_score_adj, store_oom_score_adj),
    text("<pid>/oom_score", "0\n"),
    text("<pid>/cgroup", "0::/\n"),
    text("<pid>/cpuset", "/\n"),
    writable("<pid>/coredump_filter", show_core_filter, store_core_filter),
    opened("<pid>/mem", open_memory, 0600),
    opened("<pid>/pagemap", open_page_map, 0400),
    file("<pid>/syscall", show_call, 0400),
    text("<pid>/wchan", "0"),
    file("<pid>/personality", show_personality, 0400),
    text("<pid>/loginuid", "4294967295"),
    text("<pid>/sessionid", "4294967295"),
    text("<pid>/setgroups", "allow\n"),
    text("<pid>/uid_map", "         0          0 4294967295\n"),
    text("<pid>/gid_map", "         0          0 4294967295\n"),
    link("<pid>/fd/<fd>", show_fd, follow_fd),
    file("<pid>/fdinfo/<fd>", show_fdinfo),
    task(),
    file("<pid>/net/dev", show_net<NetFile::kDevices>),
    file("<pid>/net/route", show_net<NetFile::kRoutes>),
    file("<pid>/net/arp", show_net<NetFile::kArp>),
    file("<pid>/net/tcp", show_net<NetFile::kTcp>),
    file("<pid>/net/tcp6", show_net<NetFile::kTcp6>),
    file("<pid>/net/udp", show_net<NetFile::kUdp>),
    file("<pid>/net/udp6", show_net<NetFile::kUdp6>),
    file("<pid>/net/unix", show_net<NetFile::kUnix>),
    file("<pid>/net/if_inet6", show_net<NetFile::kInet6Addresses>),
    file("<pid>/net/igmp", show_net<NetFile::kIgmp>),
    file("<pid>/net/igmp6", show_net<NetFile::kIgmp6>),

    file("cmdline", show_cmdline),
    file("cpuinfo", show_cpuinfo),
    text("filesystems",
         "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\t9p\n\text4\n"),
    file("loadavg", show_loadavg),
    file("meminfo", show_meminfo),
    file("stat", show_stat),
    file("sysvipc/msg", show_sysvipc_msg),
    file("sysvipc/sem", show_sysvipc_sem),
    file("sysvipc/shm", show_sysvipc_shm),
    text("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    file("uptime", show_uptime),
    file("version", show_version),
    file("vmstat", show_vmstat),

    text("sys/kernel/cap_last_cap", "40\n"),
    writable("sys/kernel/core_pattern", show_core_pattern, store_core_pattern),
    text("sys/kernel/core_pipe_limit", "0\n"),
    writable("sys/kernel/core_uses_pid", show_core_uses_pid, store_core_uses_pid),
    text("sys/kernel/dmesg_restrict", "1\n"),
    name_row<boot::NameOf::kHost>("sys/kernel/hostname"),
    name_row<boot::NameOf::kDomain>("sys/kernel/domainname"),
    text("sys/kernel/keys/gc_delay", "300\n"),
    text("sys/kernel/keys/maxbytes", "20000\n"),
    limit_row<&ipc::Limits::keys, 0, kIntMost>("sys/kernel/keys/maxkeys"),
    text("sys/kernel/keys/root_maxbytes", "25000000\n"),
    limit_row<&ipc::Limits::keys_of_root, 0, kIntMost>("sys/kernel/keys/root_maxkeys"),
    text("sys/kernel/kptr_restrict", "1\n"),
    next_id_row<IpcFamily::kMessages>("sys/kernel/msg_next_id"),
    limit_row<&ipc::Limits::message_size, 0, kIntMost>("sys/kernel/msgmax"),
    limit_row<&ipc::Limits::message_queue_bytes, 0, kIntMost>("sys/kernel/msgmnb"),
    limit_row<&ipc::Limits::message_queues, 0, kMostIds>("sys/kernel/msgmni"),
    text("sys/kernel/ngroups_max", "65536\n"),
    writable("sys/kernel/ns_last_pid", show_last_pid, store_last_pid, 0666),
    text("sys/kernel/osrelease", "6.12.0-uni\n"),
    text("sys/kernel/ostype", "Linux\n"),
    text("sys/kernel/overflowgid", "65534\n"),
    text("sys/kernel/overflowuid", "65534\n"),
    text("sys/kernel/perf_event_paranoid", "3\n"),
    text("sys/kernel/pid_max", "32768\n"),
    text("sys/kernel/pty/max", "4096\n"),
    text("sys/kernel/pty/reserve", "1024\n"),
    file("sys/kernel/random/boot_id", show_boot_id),
    text("sys/kernel/random/entropy_avail", "256\n"),
    text("sys/kernel/random/poolsize", "256\n"),
    text("sys/kernel/random/urandom_min_reseed_secs", "60\n"),
    file("sys/kernel/random/uuid", show_uuid),
    text("sys/kernel/random/write_wakeup_threshold", "256\n"),
    text("sys/kernel/randomize_va_space", "2\n"),
    writable("sys/kernel/sem", show_sem_limits, store_sem_limits),
    next_id_row<IpcFamily::kSemaphores>("sys/kernel/sem_next_id"),
    next_id_row<IpcFamily::kShared>("sys/kernel/shm_next_id"),
    limit_row<&ipc::Limits::shm_all, 0, kMost>("sys/kernel/shmall"),
    limit_row<&ipc::Limits::shm_max, 0, kMost>("sys/kernel/shmmax"),
    limit_row<&ipc::Limits::shm_segments, 0, kMostIds>("sys/kernel/shmmni"),
    text("sys/kernel/seccomp/actions_avail", "kill_process kill_thread trap errno trace log allow\n"),
    text("sys/kernel/tainted", "0\n"),
    text("sys/kernel/threads-max", "32768\n"),
    text("sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n"),
    // No further namespaces can be made.
    text("sys/user/max_cgroup_namespaces", "0\n"),
    text("sys/user/max_ipc_namespaces", "0\n"),
    text("sys/user/max_mnt_namespaces", "0\n"),
    text("sys/user/max_net_namespaces", "0\n"),
    text("sys/user/max_pid_namespaces", "0\n"),
    text("sys/user/max_time_namespaces", "0\n"),
    text("sys/user/max_user_namespaces", "0\n"),
    text("sys/user/max_uts_namespaces", "0\n"),
    number_row<mm::g_most_mappings, 0, kIntMost>("sys/vm/max_map_count"),
    text("sys/vm/min_free_kbytes", "1024\n"),
    text("sys/vm/mmap_min_addr", "65536\n"),
    text("sys/vm/nr_hugepages", "0\n"),
    number_row<mm::g_overcommit, 0, 1>("sys/vm/overcommit_memory"),
    text("sys/vm/overcommit_ratio", "50\n"),
    text("sys/vm/swappiness", "60\n"),
    text("sys/fs/aio-max-nr", "65536\n"),
    text("sys/fs/file-max", "9223372036854775807\n"),
    file("sys/fs/file-nr", show_file_nr),
    number_row<g_max_queued_events, 0, kIntMost>("sys/fs/inotify/max_queued_events"),
    number_row<g_max_inotify_instances, 0, kIntMost>("sys/fs/inotify/max_user_instances"),
    number_row<g_max_inotify_watches, 0, kIntMost>("sys/fs/inotify/max_user_watches"),
    number_row<leases::g_break_time, 0, kIntMost>("sys/fs/lease-break-time"),
    number_row<leases::g_enabled, 0, kIntMost>("sys/fs/leases-enable"),
    limit_row<&ipc::Limits::mq_default_messages, 1, 65536>("sys/fs/mqueue/msg_default"),
    limit_row<&ipc::Limits::mq_messages, 1, 65536>("sys/fs/mqueue/msg_max"),
    limit_row<&ipc::Limits::mq_default_message_size, 128, kMostQueueMessage>("sys/fs/mqueue/msgsize_default"),
    limit_row<&ipc::Limits::mq_message_size, 128, kMostQueueMessage>("sys/fs/mqueue/msgsize_max"),
    limit_row<&ipc::Limits::mq_queues, 0, kIntMost>("sys/fs/mqueue/queues_max"),
    number_row<g_most_mounts, 1, kIntMost>("sys/fs/mount-max"),
    number_row<g_most_descriptors, 64, kIntMost & ~u64{63}>("sys/fs/nr_open"),
    writable("sys/fs/pipe-max-size", show_largest_pipe, store_largest_pipe),
    text("sys/fs/pipe-user-pages-hard", "0\n"),
    text("sys/fs/pipe-user-pages-soft", "16384\n"),
    text("sys/fs/protected_hardlinks", "1\n"),
    text("sys/fs/protected_symlinks", "1\n"),
    text("sys/fs/suid_dumpable", "0\n"),
    text("sys/net/core/rmem_default", "212992\n"),
    text("sys/net/core/rmem_max", "212992\n"),
    text("sys/net/core/somaxconn", "4096\n"),
    text("sys/net/core/wmem_default", "212992\n"),
    text("sys/net/core/wmem_max", "212992\n"),
    text("sys/net/ipv4/ip_forward", "0\n"),
    text("sys/net/ipv4/igmp_max_memberships", "20\n"),
    text("sys/net/ipv4/igmp_max_msf", "10\n"),
    text("sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
    writable("sys/net/ipv4/ping_group_range", show_ping_range, store_ping_range),
    text("sys/net/ipv4/ip_unprivileged_port_start", "1024\n"),
    text("sys/net/ipv4/tcp_fin_timeout", "60\n"),
    text("sys/net/ipv4/tcp_keepalive_intvl", "75\n"),
    text("sys/net/ipv4/tcp_keepalive_probes", "9\n"),
    text("sys/net/ipv4/tcp_keepalive_time", "7200\n"),
    text("sys/net/ipv4/tcp_max_syn_backlog", "128\n"),
    text("sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"),
    text("sys/net/ipv4/tcp_syn_retries", "6\n"),
    text("sys/net/ipv4/tcp_wmem", "4096\t16384\t4194304\n"),
    text("sys/net/ipv6/conf/all/disable_ipv6", "0\n"),
    text("sys/net/ipv6/conf/default/disable_ipv6", "0\n"),
    directory("bus"),
    directory("fs"),
    directory("irq"),
};

constexpr pseudo::Table kTable = {kRows, sizeof kRows / sizeof kRows[0], "proc", 0x9FA0, 0, next_number, owner, mark};

}  // namespace

Result<RefPtr<FileSystem>> create() {
  return pseudo::create(kTable);
}

}  // namespace uni::fs::procfs
