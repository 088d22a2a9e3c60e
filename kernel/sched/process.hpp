// SPDX-License-Identifier: Apache-2.0
// Processes: an address space, descriptors, credentials, signal handlers and threads. In a `processes: none` image
// there is one. Locking: `lock` (Rank::kProcess) guards the thread list and the fields marked so.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/signal/signal.hpp"

namespace uni {

namespace mm {
class AddressSpace;
}
namespace fs {
struct FsContext;
}

enum class Pid : u32 {};
constexpr u32 raw(Pid p) {
  return static_cast<u32>(p);
}

struct Credentials {
  u32 uid = 0, euid = 0, suid = 0, fsuid = 0;
  u32 gid = 0, egid = 0, sgid = 0, fsgid = 0;
  u64 cap_permitted = ~u64{0}, cap_effective = ~u64{0}, cap_inheritable = 0, cap_bounding = ~u64{0}, cap_ambient = 0;
  Vector<u32> groups;
  bool capable(unsigned capability) const { return ((cap_effective >> capability) & 1) != 0; }
};

struct Limit {
  u64 soft, hard;
};
// RLIMIT_* numbers (getrlimit(2)).
enum LimitKind : unsigned {
  kLimitCpu,
  kLimitFileSize,
  kLimitData,
  kLimitStack,
  kLimitCore,
  kLimitRss,
  kLimitProcesses,
  kLimitFiles,
  kLimitLocked,
  kLimitAddressSpace,
  kLimitLocks,
  kLimitSignals,
  kLimitMessageQueue,
  kLimitNice,
  kLimitRtPriority,
  kLimitRtTime,
  kLimitCount,
};
inline constexpr u64 kUnlimited = ~u64{0};

class Process : public RefCounted {
 public:
  static Process& current() { return Thread::current().process(); }
  // The first process (pid 1), or null before it exists.
  static Process* init();
  // Finds by pid, with a reference. Null where there is none.
  static RefPtr<Process> find(Pid pid);
  static RefPtr<Thread> find_thread(Tid tid);

  Pid pid() const { return pid_; }
  Pid parent_pid() const { return parent_pid_; }
  Pid group() const { return group_; }
  Pid session() const { return session_; }
  void set_group(Pid group) { group_ = group; }
  void set_session(Pid session) { session_ = session; }

  RefPtr<mm::AddressSpace> space;
  RefPtr<fs::FileTable> files;
  RefPtr<fs::FsContext> fs;  // cwd, root, umask
  RefPtr<signal::SignalState> signals;
  Credentials credentials;  // changed only by the process's own threads, under lock
  Limit limits[kLimitCount];
  String executable;  // guest path, for /proc/self/exe
  RefPtr<fs::File> executable_file;
  u64 started_ns = 0;  // monotonic
  u32 dumpable = 1;
  u32 personality = 0;
  bool no_new_privileges = false;
  bool keep_capabilities = false;  // PR_SET_KEEPCAPS
  bool child_subreaper = false;
  bool huge_pages_disabled = false;  // PR_SET_THP_DISABLE
  int parent_death_signal = 0;
  int oom_score_adj = 0;

  // argv, envp and auxv as they lie in the program's memory, for /proc/self/{cmdline,environ,auxv}.
  u64 arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
  Vector<u64> auxv;

  SpinLock lock{Rank::kProcess};
  List<Thread, &Thread::process_node> threads;
  u32 thread_count = 0;
  Thread* leader = nullptr;
  u64 dead_user_cycles = 0, dead_system_cycles = 0;  // of threads that ended

  // Ends every thread; the process's status is `status` as wait(2) encodes it (exit code << 8, or a signal). Returns;
  // the caller leaves through its own attention check.
  void begin_exit(int wait_status);
  // The last thread's part: closes files; for the first process powers the machine off (then it does not return).
  static void finish_exit(Process& process);
  bool exiting() const { return exiting_.load(std::memory_order_acquire); }
  int exit_status() const { return exit_status_; }

  // Per-process state of other subsystems, owned by them.
  void* posix_timers = nullptr;  // kernel/time/posix_timers
  void* interval_timers = nullptr;

 private:
  friend struct ProcessAccess;
  ~Process() override;
  Pid pid_{}, parent_pid_{}, group_{}, session_{};
  std::atomic<bool> exiting_{false};
  int exit_status_ = 0;
};

// Ends the current thread (exit(2)); the last one ends the process. Never returns.
[[noreturn]] void exit_thread(int status);

}  // namespace uni
