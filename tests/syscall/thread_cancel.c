// SPDX-License-Identifier: Apache-2.0
// pthread_cancel(3), pthread_kill(3), cleanup handlers: tgkill and the cancellation signal.
#include "check.h"

static volatile int cleaned, entered, handled;
static void clean(void* unused) {
  (void)unused;
  cleaned++;
}
static void on_usr1(int s) {
  handled += s == SIGUSR1;
}

static void* sleeper(void* unused) {
  pthread_cleanup_push(clean, NULL);
  entered = 1;
  sleep(100);
  pthread_cleanup_pop(0);
  return unused;
}

static void* spinner(void* unused) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  pthread_cleanup_push(clean, NULL);
  entered = 1;
  for (volatile int i = 0;;)
    i++;
  pthread_cleanup_pop(0);
  return unused;
}

static void* reader(void* unused) {
  int p[2];
  char c;
  pipe(p);
  pthread_cleanup_push(clean, NULL);
  entered = 1;
  read(p[0], &c, 1);
  pthread_cleanup_pop(0);
  return unused;
}

static void* waits(void* unused) {
  entered = 1;
  while (!handled)
    pause_ms(5);
  return unused;
}

static void cancel_one(const char* name, void* (*function)(void*)) {
  entered = 0;
  pthread_t t = start(function, NULL);
  while (!entered)
    pause_ms(1);
  pause_ms(20);
  int error = pthread_cancel(t);
  void* value = NULL;
  pthread_join(t, &value);
  SAY("%s: %d canceled %d cleaned %d", name, error, value == PTHREAD_CANCELED, cleaned);
}

int main(void) {
  cancel_one("sleep", sleeper);
  cancel_one("read", reader);
  cancel_one("spin", spinner);
  signal(SIGUSR1, on_usr1);
  entered = 0;
  pthread_t t = start(waits, NULL);
  while (!entered)
    pause_ms(1);
  RET(pthread_kill(t, SIGUSR1));
  join(t);
  RET(handled);
  RET(syscall(SYS_tgkill, getpid(), gettid(), 0));
  RET(syscall(SYS_tgkill, getpid(), 999999, 0));
  RET(syscall(SYS_tgkill, -1, 1, 0));
  RET(syscall(SYS_tkill, gettid(), 0));
  RET(pthread_kill(pthread_self(), 99) == EINVAL);
  return done();
}
