// SPDX-License-Identifier: Apache-2.0
// Signals by signalfd(2).
#include "cli/vmm/signals.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace uni::vmm {
namespace {

bool ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void ignore(int number) {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

Signals::Signals(Loop& loop, std::function<void(int)> arrived) : loop_(loop), arrived_(std::move(arrived)) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH}) {
    if (!ignored(number)) ::sigaddset(&set, number);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number)
    ::sigaddset(&set, number);
  ::sigaddset(&set, SIGCHLD);
  ignore(SIGPIPE);
  ignore(SIGTTIN);
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd_) watch_ = loop_.watch(fd_.get(), EPOLLIN, [this](std::uint32_t) { read(); });
}

Signals::~Signals() {
  if (watch_ != 0) loop_.forget(watch_);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void Signals::read() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    arrived_(static_cast<int>(info.ssi_signo));
}

}  // namespace uni::vmm
