// SPDX-License-Identifier: Apache-2.0
// kill(2) and rt_sigqueueinfo(2) with the number of a thread that does not lead: the signal is its process's.
#include "check.h"

static volatile pid_t thread_number;
static volatile sig_atomic_t got, code;
static pthread_barrier_t step;

static void handler(int number, siginfo_t* info, void* unused) {
  (void)unused;
  got = number;
  code = info->si_code;
}

static void* other(void* unused) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  thread_number = gettid();
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  pthread_barrier_init(&step, NULL, 2);
  pthread_t t;
  pthread_create(&t, NULL, other, NULL);
  pthread_barrier_wait(&step);
  RET(kill(thread_number, 0));
  RET(kill(thread_number, SIGUSR1));
  IS(got == SIGUSR1 && code == SI_USER);
  got = 0;
  siginfo_t info = {.si_code = SI_QUEUE};
  RET(syscall(SYS_rt_sigqueueinfo, thread_number, SIGUSR1, &info));
  IS(got == SIGUSR1 && code == SI_QUEUE);
  RET(kill(-thread_number, 0));
  pthread_barrier_wait(&step);
  pthread_join(t, NULL);
  while (kill(thread_number, 0) == 0)
    usleep(1000);  // it may not be quite gone
  RET(kill(thread_number, 0));
  return done();
}
