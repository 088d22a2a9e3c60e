// SPDX-License-Identifier: Apache-2.0
// futex_waitv(2): waiting at several words, and its errors.
#include <linux/futex.h>
#include <stdatomic.h>

#include "check.h"

struct wait {
  uint64_t value, address;
  uint32_t flags, reserved;
};
#define PRIVATE_32 (2 | 128)

static _Atomic uint32_t words[4];
static atomic_int go;

static long waitv(struct wait* w, unsigned count, unsigned flags, struct timespec* timeout, int clock) {
  return syscall(449, w, count, flags, timeout, clock);
}

static void* wakes_third(void* unused) {
  while (!go)
    sched_yield();
  while (syscall(SYS_futex, &words[2], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0)
    sched_yield();
  return unused;
}

int main(void) {
  struct wait w[130];
  struct timespec past = {1, 0}, wrong = {1, -1};
  for (int i = 0; i < 130; i++)
    w[i] = (struct wait){0, (uint64_t)(uintptr_t)&words[i % 4], PRIVATE_32, 0};
  if (waitv(w, 0, 0, NULL, 0) == -1 && errno == ENOSYS) {
    SAY("this Linux is older than 5.16");
    return 1;
  }
  RET(waitv(w, 0, 0, NULL, 0));
  RET(waitv(w, 129, 0, NULL, 0));
  RET(waitv(w, 4, 1, NULL, 0));
  RET(waitv(NULL, 4, 0, NULL, 0));
  RET(waitv((void*)8, 4, 0, NULL, 0));
  RET(waitv(w, 4, 0, &past, CLOCK_MONOTONIC));
  RET(waitv(w, 4, 0, &past, CLOCK_REALTIME));
  RET(waitv(w, 4, 0, &past, CLOCK_TAI));
  RET(waitv(w, 4, 0, &wrong, CLOCK_MONOTONIC));
  RET(waitv(w, 128, 0, &past, CLOCK_MONOTONIC));
  w[1].value = 7;
  RET(waitv(w, 4, 0, NULL, 0));
  w[1].value = 0;
  w[1].flags = 0x1000;
  RET(waitv(w, 4, 0, NULL, 0));
  w[1].flags = PRIVATE_32;
  w[1].reserved = 1;
  RET(waitv(w, 4, 0, NULL, 0));
  w[1].reserved = 0;
  w[1].address += 1;
  RET(waitv(w, 4, 0, NULL, 0));
  w[1].address = 0;
  RET(waitv(w, 4, 0, NULL, 0));
  w[1].address = (uint64_t)(uintptr_t)&words[1];
  pthread_t t = start(wakes_third, NULL);
  go = 1;
  RET(waitv(w, 4, 0, NULL, 0));
  join(t);
  return done();
}
