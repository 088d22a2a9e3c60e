// SPDX-License-Identifier: Apache-2.0
// Starts children with vfork(2): between it and execve the child shares the parent's memory, so it only makes system
// calls. posix_spawn cannot set the parent-death signal (prctl(2), PR_SET_PDEATHSIG).
#include "cli/vmm/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "loader/analyze/file.hpp"

namespace uni::vmm {
namespace {

struct ChildPlan {
  const char* path;
  char* const* args;
  char* const* environment;
  const int* keep;
  std::size_t keep_count;
  int standard_error;
  int null;
  pid_t parent;
};

// Runs in the child. Gives the errno of what failed; does not return when it worked.
int become(const ChildPlan& plan) {
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (::getppid() != plan.parent) ::_exit(125);  // the parent died before the line above
  if (::dup2(plan.null, 0) < 0 || ::dup2(plan.null, 1) < 0) return errno;
  if (::dup2(plan.standard_error >= 0 ? plan.standard_error : plan.null, 2) < 0) return errno;
  for (std::size_t i = 0; i < plan.keep_count; ++i) {
    if (::fcntl(plan.keep[i], F_SETFD, 0) != 0) return errno;
  }
  // Dispositions go back to the default; ignored ones would be inherited through execve.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < 32; ++number)
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.path, plan.args, plan.environment);
  return errno;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));  // execve(2) does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

// Our own environment with `changes` over it.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> result = changes;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    if (std::ranges::none_of(changes, [name](const std::string& change) { return change.starts_with(name); })) {
      result.emplace_back(text);
    }
  }
  return result;
}

}  // namespace

Expected<Process> Process::start(const std::vector<std::string>& args, const Options& options) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return system_failure("cannot open", "/dev/null");
  const std::vector<char*> argument_pointers = pointers_to(args);
  const std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const ChildPlan plan{args[0].c_str(),
                       argument_pointers.data(),
                       environment_pointers.data(),
                       options.keep.data(),
                       options.keep.size(),
                       options.standard_error,
                       null.get(),
                       ::getpid()};
  // No handler of ours may run in the shared memory: everything stays blocked until execve.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  volatile int failure = 0;
  const pid_t pid = ::vfork();
  if (pid == 0) {
    failure = become(plan);
    ::_exit(127);
  }
  const int fork_error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    errno = fork_error;
    return system_failure("cannot start a process", args[0]);
  }
  if (failure != 0) {
    ::waitpid(pid, nullptr, 0);
    errno = failure;
    return system_failure("cannot start", args[0]);
  }
  return Process(pid);
}

Process::~Process() {
  if (pid_ < 0 || wait_status_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Process::running() {
  if (pid_ < 0 || wait_status_) return false;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == pid_) wait_status_ = status;
  if (got < 0 && errno == ECHILD) wait_status_ = 0;
  return !wait_status_;
}

void Process::signal(int number) const {
  if (pid_ > 0 && !wait_status_) ::kill(pid_, number);
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string_view dir = rest.substr(0, end);
    const std::string candidate = (dir.empty() ? "." : std::string(dir)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return "";
}

}  // namespace uni::vmm
