// SPDX-License-Identifier: Apache-2.0
// sigaction(2): flags, masks in force while a handler runs, what is returned, errors.
#include "check.h"

static int depth, deepest, runs;
static sigset_t inside;
static void handler(int s) {
  runs++;
  if (++depth > deepest) deepest = depth;
  sigprocmask(SIG_BLOCK, NULL, &inside);
  if (runs < 3) raise(s);
  depth--;
}

static void with_info(int s, siginfo_t* i, void* u) {
  SAY("signal %d code %d mine %d value %d context %d", s, i->si_code, i->si_pid == getpid(),
      i->si_code == SI_QUEUE ? i->si_value.sival_int : 0, u != NULL);
}

static void once(int s) {
  SAY("once %d", s);
}

int main(void) {
  struct sigaction a = {.sa_handler = handler}, old;
  RET(sigaction(SIGUSR1, &a, &old));
  IS(old.sa_handler == SIG_DFL);
  raise(SIGUSR1);
  SAY("runs %d deepest %d blocked inside %d", runs, deepest, sigismember(&inside, SIGUSR1));
  runs = deepest = 0;
  a.sa_flags = SA_NODEFER;
  sigaction(SIGUSR1, &a, &old);
  IS(old.sa_handler == handler);
  raise(SIGUSR1);
  SAY("runs %d deepest %d blocked inside %d", runs, deepest, sigismember(&inside, SIGUSR1));
  runs = 5;
  a.sa_flags = 0;
  sigaddset(&a.sa_mask, SIGUSR2);
  sigaddset(&a.sa_mask, SIGKILL);
  sigaction(SIGUSR1, &a, NULL);
  raise(SIGUSR1);
  SAY("usr2 blocked %d kill blocked %d", sigismember(&inside, SIGUSR2), sigismember(&inside, SIGKILL));
  sigprocmask(SIG_BLOCK, NULL, &inside);
  SAY("after: %d %d", sigismember(&inside, SIGUSR1), sigismember(&inside, SIGUSR2));
  struct sigaction i = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR2, &i, NULL);
  raise(SIGUSR2);
  kill(getpid(), SIGUSR2);
  sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 31});
  struct sigaction r = {.sa_handler = once, .sa_flags = SA_RESETHAND};
  sigaction(SIGHUP, &r, NULL);
  raise(SIGHUP);
  sigaction(SIGHUP, NULL, &old);
  IS(old.sa_handler == SIG_DFL);
  signal(SIGHUP, SIG_IGN);
  RET(raise(SIGHUP));
  RET(raise(SIGCHLD));
  RET(raise(SIGCONT));
  RET(raise(SIGWINCH));
  RET(sigaction(SIGKILL, &a, NULL));
  RET(sigaction(SIGSTOP, &a, NULL));
  RET(sigaction(SIGKILL, NULL, &old));
  RET(sigaction(0, &a, NULL));
  RET(sigaction(65, &a, NULL));
  RET(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
  RET(syscall(SYS_rt_sigaction, SIGUSR1, 1, NULL, 8));
  RET(kill(getpid(), 0));
  RET(kill(getpid(), 65));
  RET(kill(999999, 0));
  return done();
}
