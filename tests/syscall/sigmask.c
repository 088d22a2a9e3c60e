// SPDX-License-Identifier: Apache-2.0
// sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2), sigqueue(3): order and counts.
#include "check.h"

static int order[16], count;
static void note(int s) {
  order[count++ % 16] = s;
}
static void note_value(int s, siginfo_t* i, void* u) {
  (void)s, (void)u;
  order[count++ % 16] = i->si_value.sival_int;
}
static pthread_t main_thread;
static void* later(void* unused) {
  pause_ms(50);
  pthread_kill(main_thread, SIGUSR1);
  return unused;
}

int main(void) {
  sigset_t set, old, none;
  sigemptyset(&none);
  main_thread = pthread_self();
  signal(SIGUSR1, note);
  signal(SIGUSR2, note);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  RET(sigprocmask(SIG_BLOCK, &set, &old));
  raise(SIGUSR2);
  raise(SIGUSR1);
  raise(SIGUSR1);
  sigset_t pending;
  sigpending(&pending);
  SAY("pending %d %d %d, ran %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
      sigismember(&pending, SIGHUP), count);
  RET(sigprocmask(SIG_UNBLOCK, &set, NULL));
  SAY("ran %d, both seen %d", count, order[0] + order[1] == SIGUSR1 + SIGUSR2);
  // Real-time signals queue, in order, lowest number first.
  struct sigaction a = {.sa_sigaction = note_value, .sa_flags = SA_SIGINFO};
  sigfillset(&a.sa_mask);
  sigaction(SIGRTMIN, &a, NULL);
  sigaction(SIGRTMIN + 1, &a, NULL);
  sigset_t rt;
  sigemptyset(&rt);
  sigaddset(&rt, SIGRTMIN);
  sigaddset(&rt, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &rt, NULL);
  for (int i = 0; i < 3; i++)
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i});
  for (int i = 0; i < 3; i++)
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 20 + i});
  count = 0;
  sigprocmask(SIG_UNBLOCK, &rt, NULL);
  RET(count);
  for (int i = 0; i < count; i++)
    printf("%d ", order[i]);
  SAY("%s", "");
  // sigtimedwait takes a blocked signal without its handler.
  sigprocmask(SIG_BLOCK, &set, NULL);
  count = 0;
  siginfo_t info;
  struct timespec ts = {0, 20000000};
  RET(sigtimedwait(&set, &info, &ts));
  kill(getpid(), SIGUSR1);
  RET(sigtimedwait(&set, &info, &ts));
  SAY("code %d mine %d ran %d", info.si_code, info.si_pid == getpid(), count);
  pthread_t t = start(later, NULL);
  RET(sigwaitinfo(&set, &info));
  join(t);
  ts.tv_nsec = 2000000000;
  RET(sigtimedwait(&set, &info, &ts));
  // sigsuspend lets it in, and puts the mask back.
  t = start(later, NULL);
  RET(sigsuspend(&none));
  join(t);
  sigprocmask(SIG_BLOCK, NULL, &old);
  SAY("ran %d, blocked again %d", count, sigismember(&old, SIGUSR1));
  sigfillset(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  sigprocmask(SIG_SETMASK, &none, &old);
  SAY("kill %d stop %d", sigismember(&old, SIGKILL), sigismember(&old, SIGSTOP));
  RET(sigprocmask(9, &set, NULL));
  RET(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 7));
  RET(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 1, NULL, 8));
  RET(syscall(SYS_rt_sigpending, NULL, 8));
  // New threads take their creator's mask.
  return done();
}
