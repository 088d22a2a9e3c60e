// SPDX-License-Identifier: Apache-2.0
// Processes: an address space, descriptors, credentials, signal handlers and threads (docs/PROCESSES.md).
// Locking: the tree (parents, children, groups, sessions, who is a zombie) is under process_tree_lock(); `lock`
// (Rank::kProcess, taken inside it) guards the thread list and the fields marked so.
// Lifetime: counted. The pid table holds a reference until the process is reaped, each thread one until it is freed.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sched/tracee.hpp"
#include "kernel/signal/signal.hpp"

namespace uni {

namespace mm {
class AddressSpace;
}
namespace fs {
struct FsContext;
}
namespace dev {
class Tty;
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

// SECBIT_* (capabilities(7), "The securebits flags"); the bit above each locks it.
enum SecureBit : u32 {
  kSecureNoRoot = 1,
  kSecureNoSetuidFixup = 4,
  kSecureKeepCaps = 16,
  kSecureNoAmbientRaise = 64,
  kSecureBits = kSecureNoRoot | kSecureNoSetuidFixup | kSecureKeepCaps | kSecureNoAmbientRaise,
  kSecureLocks = kSecureBits << 1,
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

// The lock of the process tree: Rank::kProcessTree, so Process::lock and SignalState::lock nest inside it.
SpinLock& process_tree_lock();

// Opened when a child made by vfork(2) has left its parent's memory: by execve or its end.
struct VforkGate : RefCounted {
  std::atomic<bool> open{false};
  WaitQueue queue;
};

// What a process has used up: of its ended threads, or of its reaped children.
struct ResourceUsage {
  u64 user_cycles = 0, system_cycles = 0;
  u64 minor_faults = 0, major_faults = 0;
  u64 voluntary_switches = 0, involuntary_switches = 0;
  u64 peak_resident_pages = 0;
  void add(const ResourceUsage& other);
  void add(const Thread& thread);
};

class Process : public RefCounted {
 public:
  ListNode sibling_node, all_node;  // under process_tree_lock()

  static Process& current() { return Thread::current().process(); }
  // Pid 1: the kernel's own, without code; it adopts orphans and reaps them. Null before the program starts.
  static Process* init();
  // The image's program (pid 2), whose end is the end of the machine; null before it exists.
  static Process* program();
  // Finds by pid, zombies too, with a reference. Null where there is none.
  static RefPtr<Process> find(Pid pid);
  // Finds by tid. The leader of a process is found until the process is reaped, even when it has ended.
  static RefPtr<Thread> find_thread(Tid tid);
  // Calls visit(process) for each process, zombies and init too, in order of creation, under process_tree_lock().
  using AllList = List<Process, &Process::all_node>;
  static AllList& all();  // under process_tree_lock()
  template <typename Visit>
  static void for_each(Visit visit) {
    LockGuard guard(process_tree_lock());
    for (Process& p : all())
      visit(p);
  }
  static u32 count();  // of all, init too

  Pid pid() const { return pid_; }
  // 0 for init.
  Pid parent_pid() const { return Pid{parent_pid_.load(std::memory_order_relaxed)}; }
  Pid group() const { return group_; }
  Pid session() const { return session_; }
  // setpgid(2) and setsid(2); need process_tree_lock().
  void set_group(Pid group);
  void set_session(Pid session);
  // Is there a process of that group (in the session)? Needs process_tree_lock().
  static bool group_exists(Pid group, Pid session);
  // POSIX: no member has a parent in another group of the same session. Needs process_tree_lock().
  static bool group_is_orphaned(Pid group, const Process* except = nullptr);

  // --- the tree, under process_tree_lock() ---
  enum class Life : u8 { kNew, kAlive, kZombie, kReaped };
  std::atomic<Life> life{Life::kNew};
  Process* parent = nullptr;  // null for init only
  List<Process, &Process::sibling_node> children;
  int exit_signal = signal::kChld;  // what the parent is told with; 0: nothing
  int stop_report = 0;              // the stop signal that no wait has reported yet
  bool continue_report = false;
  bool linked_groups = false;        // while its parent ends: it may have kept its group from being orphaned
  ResourceUsage children_usage;      // of reaped children and theirs
  std::atomic<u32> child_events{0};  // grows with everything that a wait could report
  WaitQueue child_queue;             // woken with it
  WaitQueue exit_queue;              // woken (poll In) when the process becomes a zombie: pidfds
  trace::TraceeList tracees;         // of its threads, in the order they came
  std::atomic<u32> traced{0};        // how many of its own threads are traced
  Tid maker{};                       // the thread of the parent that made it
  RefPtr<VforkGate> vfork_gate;      // while the parent waits for this one
  bool executed = false;             // has called execve since it was made (setpgid's EACCES)
  RefPtr<dev::Tty> terminal;         // the controlling one (kernel/dev/tty/job_control.hpp)
  Pid lost_terminal_group{};         // a leader's: the foreground group of the terminal that hung up on it

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
  u32 secure_bits = 0;  // SecureBit
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
  Thread* leader = nullptr;               // counted; kept when it has ended, until the process is reaped
  ResourceUsage dead_usage;               // of threads that ended
  std::atomic<u64> shown_user_cycles{0};  // the most that anybody was told
  Thread* exec_thread = nullptr;          // the thread that waits for the others to end, in execve
  WaitQueue exec_queue;

  // --- a core file (core(5)) ---
  static constexpr u32 kCoreFilter = 0x33;  // private and shared anonymous memory, ELF headers, private large pages
  u32 core_filter = kCoreFilter;            // /proc/PID/coredump_filter
  std::atomic<bool> dumping{false};         // threads that end wait until the file is written
  WaitQueue dump_queue;
  // A thread that ends stays as it is until the file is written. May block.
  void wait_for_dump(Thread& thread);
  // begin_exit(), and then waits until the other threads stand still: their frames, Thread::fpu and bases are whole
  // where Thread::parked. Gives false where the process was ending already. May block.
  bool begin_dump(int number);
  // Lets them end. `written`: wait(2) says so.
  enum class Dump : u8 { kNone, kWritten };
  void end_dump(Dump dump);

  // Ends every thread; the process's status is `status` as wait(2) encodes it (exit code << 8, or a signal). Returns;
  // the caller leaves through its own attention check.
  void begin_exit(int wait_status);
  // The last thread's part: lets go of files and memory, becomes a zombie and tells the parent; for the image's program
  // powers the machine off (then it does not return). May block.
  static void finish_exit(Process& process);
  // Ends all other threads of the current process and makes this one its leader (execve(2)). May block.
  // Errors: RestartNoIntr (the process is ending itself; the caller must leave).
  Result<void> become_only_thread();
  bool exiting() const { return exiting_.load(std::memory_order_acquire); }
  int exit_status() const { return exit_status_; }

  // The running thread's directories and umask: its own, else those of its process.
  static const RefPtr<fs::FsContext>& current_fs();
  // The same of any thread; null once it or its process has let go of them. Takes Process::lock.
  static RefPtr<fs::FsContext> fs_of(const Thread& thread);
  // Gives the current thread's process descriptors, or the current thread directories, that nobody else shares
  // (unshare(2), execve(2)). Errors: NoMemory.
  Result<void> unshare_files();
  Result<void> unshare_fs();
  // execve or the end: the parent of a vfork goes on.
  void open_vfork_gate();

  // Per-process state of other subsystems, owned by them.
  // Called by the last thread before its descriptors go, where not null (io_uring ends its workers).
  std::atomic<void (*)(Process&)> exit_hook{nullptr};
  void* posix_timers = nullptr;  // kernel/time/posix_timers
  void* interval_timers = nullptr;

 private:
  friend struct ProcessAccess;
  friend void become_zombie(Process& process);
  friend RefPtr<Process> reap_locked(Process& process);
  ~Process() override;
  Pid pid_{}, group_{}, session_{};
  std::atomic<u32> parent_pid_{0};
  std::atomic<bool> exiting_{false};
  int exit_status_ = 0;
};

// Ends the current thread (exit(2)); the last one ends the process. Never returns.
[[noreturn]] void exit_thread(int status);

}  // namespace uni
