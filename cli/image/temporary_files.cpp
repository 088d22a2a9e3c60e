// SPDX-License-Identifier: Apache-2.0
// The handler does what signal-safety(7) allows: it reads a fixed array, unlinks, and ends the program by the same
// signal.
#include "cli/image/temporary_files.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace uni {
namespace {

constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::size_t kMost = 8;  // a pack has two at a time

std::array<std::atomic<char*>, kMost> g_names;
std::array<bool, kEnding.size()> g_ours;
std::atomic<pid_t> g_owner;  // a child that has not executed yet unlinks nothing

void unlink_all(int number) {
  if (::getpid() == g_owner) {
    for (const auto& name : g_names) {
      if (const char* n = name.load(); n != nullptr) ::unlink(n);
    }
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

bool none_left() {
  return std::ranges::all_of(g_names, [](const auto& n) { return n.load() == nullptr; });
}

void install() {
  g_owner = ::getpid();
  for (std::size_t i = 0; i < kEnding.size(); ++i) {
    struct sigaction old {};
    struct sigaction own {};
    own.sa_handler = unlink_all;
    g_ours[i] = ::sigaction(kEnding[i], nullptr, &old) == 0 && old.sa_handler == SIG_DFL &&
                (old.sa_flags & SA_SIGINFO) == 0 && ::sigaction(kEnding[i], &own, nullptr) == 0;
  }
}

void uninstall() {
  for (std::size_t i = 0; i < kEnding.size(); ++i) {
    if (g_ours[i]) ::signal(kEnding[i], SIG_DFL);
    g_ours[i] = false;
  }
}

// Calls `make`, which gives `name` to a file, and keeps the name in mind where it does not give -1.
template <typename Make>
int keeping(const std::string& name, Make make) {
  // A signal between the file and its place in the array would leave it behind.
  sigset_t ending, before;
  sigemptyset(&ending);
  for (const int number : kEnding)
    sigaddset(&ending, number);
  ::pthread_sigmask(SIG_BLOCK, &ending, &before);
  const int made = make();
  const int error = errno;
  if (made >= 0) {
    if (none_left()) install();
    const auto slot = std::ranges::find_if(g_names, [](const auto& n) { return n.load() == nullptr; });
    if (slot != g_names.end()) *slot = ::strdup(name.c_str());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return made;
}

std::string descriptor_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace

int make_temporary(std::string& name) {
  return keeping(name, [&] { return ::mkostemp(name.data(), O_CLOEXEC); });
}

int make_nameless(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 || ::access(descriptor_path(fd).c_str(), F_OK) == 0) return fd;
  ::close(fd);  // without /proc it could get no name
  return -1;
}

int name_temporary(int fd, std::string& name) {
  constexpr int kTries = 100;
  const std::string pattern = name;
  return keeping(name, [&] {
    for (int i = 0; i < kTries; ++i) {
      // A name that is free: mkostemp's file only lends it.
      name = pattern;
      const int lender = ::mkostemp(name.data(), O_CLOEXEC);
      if (lender < 0) return -1;
      ::close(lender);
      ::unlink(name.c_str());
      if (::linkat(AT_FDCWD, descriptor_path(fd).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return 0;
      if (errno != EEXIST) return -1;
    }
    return -1;
  });
}

void forget_temporary(const std::string& name) {
  for (auto& n : g_names) {
    char* text = n.load();
    if (text == nullptr || name != text) continue;
    n = nullptr;
    std::free(text);
  }
  if (none_left()) uninstall();
}

}  // namespace uni
