// SPDX-License-Identifier: Apache-2.0
// The loop of ptrace(2), with PTRACE_SEIZE: a group-stop is told from a signal, and stops stay stops (PTRACE_LISTEN).
// Each system call stops twice; what it names is read at its entry, what came of it at its exit. EXITKILL ends the
// program if this process dies.
#include "cli/trace/tracer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

#include "loader/analyze/file.hpp"

namespace uni::trace {
namespace {

namespace fs = std::filesystem;

constexpr unsigned long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
constexpr std::size_t kLongestPath = 4096;

// Where a call has its path, and what it does with the file.
struct PathCall {
  unsigned number;
  int directory;  // the argument with the descriptor that the path starts from; -1: the working directory
  int path;
  bool executes;
};
constexpr PathCall kPathCalls[] = {
    {SYS_open, -1, 0, false},     {SYS_openat, 0, 1, false},     {437, 0, 1, false},  // openat2
    {SYS_stat, -1, 0, false},     {SYS_lstat, -1, 0, false},     {SYS_newfstatat, 0, 1, false},
    {SYS_statx, 0, 1, false},     {SYS_access, -1, 0, false},    {SYS_faccessat, 0, 1, false},
    {439, 0, 1, false},  // faccessat2
    {SYS_readlink, -1, 0, false}, {SYS_readlinkat, 0, 1, false}, {SYS_execve, -1, 0, true},
    {SYS_execveat, 0, 1, true},   {SYS_chdir, -1, 0, false},     {SYS_uselib, -1, 0, false},
    {SYS_truncate, -1, 0, false}, {SYS_statfs, -1, 0, false},
};

std::atomic<pid_t> program{0};  // whom the signals are for

// A terminal sends its signals to the program as well as to us; what a process sent to us alone is passed on.
void pass_on(int number, siginfo_t* info, void*) {
  const int saved = errno;
  if (program > 0 && info->si_code <= 0) ::kill(program, number);
  errno = saved;
}

std::unexpected<Diagnostic> failure(std::string what, std::string where, int number, std::string hint) {
  return fail({.what = std::move(what),
               .where = std::move(where),
               .why = number == 0 ? std::string() : errno_text(number),
               .hint = std::move(hint),
               .code = ExitCode::kRunFailed});
}

// A call between its entry and its exit.
struct Call {
  unsigned number = 0;
  std::optional<std::string> path;  // absolute
  std::string named;                // where it is relative to where the program started
  bool executes = false;
  bool creates = false;  // and the file was not there
  std::optional<unsigned> port;
};

class Tracer {
 public:
  Expected<Record> run(const std::vector<std::string>& arguments);

 private:
  Expected<pid_t> start(const std::vector<std::string>& arguments);
  void stopped(pid_t tid, int status);
  void call_stop(pid_t tid);
  void entered(pid_t tid, unsigned number, std::span<const std::uint64_t> arguments);
  void left(pid_t tid, std::int64_t result);
  void note_path(pid_t tid, const PathCall& kind, std::span<const std::uint64_t> arguments, Call& call);
  static std::string text(pid_t tid, std::uint64_t address);
  static void resume(pid_t tid, int signal) {
    // SAFETY: ptrace takes a signal's number in its data pointer.
    ::ptrace(PTRACE_SYSCALL, tid, nullptr, reinterpret_cast<void*>(static_cast<std::intptr_t>(signal)));
  }

  Record record_;
  std::map<pid_t, Call> calls_;
  std::set<std::string> made_;  // files that did not exist before
  std::string here_;            // the directory in which the program started
  bool started_ = false;        // it has replaced our own code
};

// The child waits for a byte until it is seized: nothing of the program runs unseen. A pipe that execve closes tells
// why it failed.
Expected<pid_t> Tracer::start(const std::vector<std::string>& arguments) {
  int go[2] = {-1, -1};
  int failed[2] = {-1, -1};
  if (::pipe2(go, O_CLOEXEC) != 0 || ::pipe2(failed, O_CLOEXEC) != 0)
    return failure("cannot make a pipe", {}, errno, {});
  std::vector<char*> argv;
  for (const std::string& a : arguments)
    argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return failure("cannot start a process", {}, errno, {});
  if (child == 0) {
    char byte = 0;
    while (::read(go[0], &byte, 1) < 0 && errno == EINTR) {
    }
    ::execvp(argv[0], argv.data());
    const int error = errno;
    [[maybe_unused]] const ssize_t n = ::write(failed[1], &error, sizeof error);
    ::_exit(127);
  }
  ::close(go[0]);
  ::close(failed[1]);
  int status = 0;
  int error = 0;
  // SAFETY: PTRACE_SEIZE takes its options in the data pointer.
  if (::ptrace(PTRACE_SEIZE, child, nullptr, reinterpret_cast<void*>(kOptions)) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, child, nullptr, nullptr) != 0 || ::waitpid(child, &status, __WALL) != child) {
    error = errno;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, __WALL);
    return failure("cannot trace the program", arguments[0], error,
                   "ptrace(2) must be permitted: see /proc/sys/kernel/yama/ptrace_scope");
  }
  resume(child, 0);
  [[maybe_unused]] const ssize_t written = ::write(go[1], "", 1);
  ::close(go[1]);
  // The rest happens in the loop; whether the program was found is known when the pipe is closed. Until then the child
  // makes calls that stop, so the pipe is read without waiting.
  ::fcntl(failed[0], F_SETFL, O_NONBLOCK);
  for (;;) {
    const pid_t tid = ::waitpid(child, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid != child || WIFEXITED(status) || WIFSIGNALED(status)) break;
    stopped(tid, status);
    if (started_) break;
  }
  const ssize_t n = ::read(failed[0], &error, sizeof error);
  ::close(failed[0]);
  if (started_) return child;
  return failure("cannot be started", arguments[0], n == sizeof error ? error : ENOENT, "check the path");
}

Expected<Record> Tracer::run(const std::vector<std::string>& arguments) {
  std::error_code error;
  here_ = fs::current_path(error).string();
  auto child = start(arguments);
  if (!child) return std::unexpected(child.error());
  program = *child;
  struct sigaction forward {};
  forward.sa_sigaction = pass_on;
  forward.sa_flags = SA_SIGINFO;
  for (const int number : {SIGINT, SIGQUIT, SIGTSTP, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    ::sigaction(number, &forward, nullptr);
  for (;;) {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) break;  // ECHILD: all have ended
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      calls_.erase(tid);
      if (tid == *child) record_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    stopped(tid, status);
  }
  return std::move(record_);
}

void Tracer::stopped(pid_t tid, int status) {
  const int signal = WSTOPSIG(status);
  const auto event = static_cast<unsigned>(status) >> 16;
  if (signal == (SIGTRAP | 0x80)) {
    call_stop(tid);
    return resume(tid, 0);
  }
  switch (event) {
    case 0:
      return resume(tid, signal);  // a signal is delivered
    case PTRACE_EVENT_STOP:
      // A stop of the whole group lasts until SIGCONT; what has just been attached goes on.
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        ::ptrace(PTRACE_LISTEN, tid, nullptr, nullptr);
        return;
      }
      return resume(tid, 0);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
      if (started_) ++record_.forks;
      return resume(tid, 0);
    case PTRACE_EVENT_EXEC: {
      // All other threads are gone, and the one that called execve has the process's number now.
      unsigned long former = 0;
      if (::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &former) == 0 && static_cast<pid_t>(former) != tid) {
        if (const auto call = calls_.find(static_cast<pid_t>(former)); call != calls_.end()) {
          calls_[tid] = std::move(call->second);
          calls_.erase(static_cast<pid_t>(former));
        }
      }
      if (started_) ++record_.execs;
      started_ = true;
      return resume(tid, 0);
    }
    default:
      return resume(tid, 0);
  }
}

void Tracer::call_stop(pid_t tid) {
  __ptrace_syscall_info info{};
  // SAFETY: PTRACE_GET_SYSCALL_INFO takes the structure's size in the address pointer.
  if (::ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), tid, reinterpret_cast<void*>(sizeof info),
               &info) <= 0) {
    return;
  }
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    std::array<std::uint64_t, 6> arguments{};
    std::copy_n(info.entry.args, 6, arguments.begin());
    entered(tid, static_cast<unsigned>(info.entry.nr), arguments);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    left(tid, info.exit.rval);
  }
}

std::string Tracer::text(pid_t tid, std::uint64_t address) {
  std::string out;
  while (address != 0 && out.size() < kLongestPath) {
    // Up to the end of a page: the next one may not be there.
    char bytes[4096];
    const std::size_t size = 4096 - address % 4096;
    iovec to{bytes, size};
    // SAFETY: an address of the other process, which only the kernel follows.
    iovec from{reinterpret_cast<void*>(address), size};
    const ssize_t n = ::process_vm_readv(tid, &to, 1, &from, 1, 0);
    if (n <= 0) return {};
    const auto end = static_cast<std::size_t>(n);
    const void* nul = std::memchr(bytes, 0, end);
    const std::size_t length = nul == nullptr ? end : static_cast<std::size_t>(static_cast<const char*>(nul) - bytes);
    out.append(bytes, length);
    if (nul != nullptr) return out;
    address += end;
  }
  return {};
}

void Tracer::note_path(pid_t tid, const PathCall& kind, std::span<const std::uint64_t> arguments, Call& call) {
  const std::string said = text(tid, arguments[static_cast<std::size_t>(kind.path)]);
  if (said.empty()) return;
  call.executes = kind.executes;
  std::string path = said;
  if (!said.starts_with('/')) {
    const std::string proc = "/proc/" + std::to_string(tid);
    const int directory =
        kind.directory < 0 ? AT_FDCWD : static_cast<int>(arguments[static_cast<std::size_t>(kind.directory)]);
    std::error_code error;
    const std::string start =
        fs::read_symlink(directory == AT_FDCWD ? proc + "/cwd" : proc + "/fd/" + std::to_string(directory), error);
    if (error || !start.starts_with('/')) return;
    path = start + "/" + said;
    if (start == here_ && directory == AT_FDCWD) call.named = fs::path(said).lexically_normal().string();
  }
  call.path = fs::path(path).lexically_normal().string();
  const bool open_flags = call.number == SYS_open || call.number == SYS_openat;
  const std::uint64_t flags = open_flags ? arguments[call.number == SYS_open ? 1 : 2] : 0;
  struct stat st {};
  call.creates = (flags & O_CREAT) != 0 && ::lstat(call.path->c_str(), &st) != 0;
}

void Tracer::entered(pid_t tid, unsigned number, std::span<const std::uint64_t> arguments) {
  Call& call = calls_[tid] = Call{.number = number, .path = {}, .named = {}, .port = {}};
  for (const PathCall& kind : kPathCalls) {
    if (kind.number == number) note_path(tid, kind, arguments, call);
  }
  if (started_) record_.calls.insert(number);  // some do not come back
  if (number == SYS_creat) {
    call.path = text(tid, arguments[0]);
    call.creates = true;
  }
  if (number == SYS_bind) {
    sockaddr_in6 address{};
    iovec to{&address, sizeof address};
    // SAFETY: an address of the other process, which only the kernel follows.
    iovec from{reinterpret_cast<void*>(arguments[1]), std::min<std::size_t>(arguments[2], sizeof address)};
    // The port lies at the same place in both families' addresses.
    if (::process_vm_readv(tid, &to, 1, &from, 1, 0) >= 4 &&
        (address.sin6_family == AF_INET || address.sin6_family == AF_INET6) && address.sin6_port != 0) {
      call.port = ntohs(address.sin6_port);
    }
  }
}

void Tracer::left(pid_t tid, std::int64_t result) {
  const auto found = calls_.find(tid);
  if (found == calls_.end()) return;
  const Call call = std::move(found->second);
  calls_.erase(found);
  if (!started_) return;
  if (call.port && result == 0) record_.ports.insert(*call.port);
  if (!call.path) return;
  if (result == -ENOENT) {
    if (!made_.contains(*call.path)) record_.missing.insert(*call.path);
    return;
  }
  if (call.creates && result >= 0) made_.insert(*call.path);
  if (result < 0 || made_.contains(*call.path)) return;
  TracedFile& file = record_.files[*call.path];
  file.named = call.named;
  file.executed = file.executed || call.executes;
  struct stat st {};
  file.directory = ::stat(call.path->c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

Expected<Record> run(const std::vector<std::string>& arguments) {
  return Tracer().run(arguments);
}

}  // namespace uni::trace
