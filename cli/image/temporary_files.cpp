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

}  // namespace

int make_temporary(std::string& name) {
  // A signal between the file and its place in the array would leave it behind.
  sigset_t ending, before;
  sigemptyset(&ending);
  for (const int number : kEnding)
    sigaddset(&ending, number);
  ::pthread_sigmask(SIG_BLOCK, &ending, &before);
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  const int error = errno;
  if (fd >= 0) {
    if (none_left()) install();
    const auto slot = std::ranges::find_if(g_names, [](const auto& n) { return n.load() == nullptr; });
    if (slot != g_names.end()) *slot = ::strdup(name.c_str());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return fd;
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
