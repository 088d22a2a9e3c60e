// SPDX-License-Identifier: Apache-2.0
// futex(2): waiting, waking, requeueing, bit sets, timeouts, errors.
#include <limits.h>
#include <linux/futex.h>

#include "check.h"

static uint32_t word, other;
static int woken;

static long futex(uint32_t* at, int op, uint32_t value, const void* time, uint32_t* second, uint32_t third) {
  return syscall(SYS_futex, at, op, value, time, second, third);
}

static void* waiter(void* unused) {
  long r = futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  if (r == 0) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  return unused;
}

static void* bit_waiter(void* bits) {
  long r = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(uintptr_t)bits);
  if (r == 0) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void settle(void) {
  pause_ms(60);
}

int main(void) {
  struct timespec ts = {0, 30000000};
  RET(futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
  double t = seconds_now();
  RET(futex(&word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
  IS(seconds_now() - t >= 0.029);
  RET(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
  RET(futex((uint32_t*)((char*)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  RET(futex((uint32_t*)8, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  RET(futex(NULL, FUTEX_WAIT, 0, NULL, NULL, 0));
  uint32_t* none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RET(futex(none, FUTEX_WAKE, 1, NULL, NULL, 0));
  RET(futex(none, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
  RET(futex(&word, FUTEX_CMP_REQUEUE, 1, (void*)1, none, 0));
  RET(futex(&word, 77, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 0));
  ts.tv_nsec = 1000000000;
  RET(futex(&word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
  struct timespec past = {1, 0};
  RET(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, FUTEX_BITSET_MATCH_ANY));
  RET(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &past, NULL, FUTEX_BITSET_MATCH_ANY));
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 40000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
  t = seconds_now();
  RET(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, FUTEX_BITSET_MATCH_ANY));
  IS(seconds_now() - t >= 0.03);

  pthread_t th[4];
  for (int i = 0; i < 4; i++)
    th[i] = start(waiter, NULL);
  settle();
  RET(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
  settle();
  RET(woken);
  RET(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void*)10L, &other, 5));
  RET(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void*)10L, &other, 0));
  settle();
  RET(woken);
  RET(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
  RET(futex(&other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
  for (int i = 0; i < 4; i++)
    join(th[i]);
  RET(woken);

  th[0] = start(bit_waiter, (void*)1), th[1] = start(bit_waiter, (void*)2);
  settle();
  RET(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4));
  RET(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2));
  RET(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 1));
  join(th[0]);
  join(th[1]);

  // WAKE_OP: changes the second word, then wakes on the first, and on the second if its old value compares.
  th[0] = start(waiter, NULL);
  settle();
  other = 5;
  RET(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void*)1L, &other, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)));
  RET(other);
  join(th[0]);
  RET(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void*)1L, &other, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_GT, 100)));
  RET(other);
  RET(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void*)1L, &other, 0));
  // The shared form, on a shared mapping.
  uint32_t* shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ts = (struct timespec){0, 10000000};
  RET(futex(shared, FUTEX_WAIT, 0, &ts, NULL, 0));
  RET(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0));
  return done();
}
