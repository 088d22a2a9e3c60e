// SPDX-License-Identifier: Apache-2.0
// futex(2), priority inheritance by its raw operations: who owns, who waits, time limits, an owner that ends, and
// moving from a condition to a lock.
#include <linux/futex.h>
#include <stdatomic.h>

#include "check.h"

#define LOCK_PI2 13
static _Atomic uint32_t word, condition;
static atomic_int phase;
static atomic_long result;
static _Atomic pid_t other;

static long futex(_Atomic uint32_t* address, int operation, uint32_t value, void* timeout, _Atomic uint32_t* second,
                  uint32_t third) {
  return syscall(SYS_futex, address, operation | FUTEX_PRIVATE_FLAG, value, timeout, second, third);
}

static pid_t me(void) {
  return (pid_t)syscall(SYS_gettid);
}

static void until(int wanted) {
  while (phase < wanted)
    sched_yield();
}

// The word is contended: someone waits in the kernel.
static void until_waited(void) {
  while (!(word & FUTEX_WAITERS))
    sched_yield();
}

static void* locks(void* unused) {
  other = me();
  result = futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
  if (result == 0 && (word & FUTEX_TID_MASK) != (uint32_t)other) result = 77;
  phase = 1;
  until(2);
  futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
  return unused;
}

static void* ends_with_the_lock(void* unused) {
  uint32_t zero = 0;
  atomic_compare_exchange_strong(&word, &zero, (uint32_t)me());
  phase = 1;
  until_waited();
  return unused;
}

static void* waits_at_condition(void* unused) {
  other = me();
  phase = 1;
  result = futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, ~0u);
  if (result == 0 && (word & FUTEX_TID_MASK) != (uint32_t)other) result = 77;
  futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
  phase = 2;
  return unused;
}

static void alone(void) {
  struct timespec past = {1, 0}, wrong = {1, 2000000000};
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  IS(word == (uint32_t)me());
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(word);
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, LOCK_PI2, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  word = FUTEX_OWNER_DIED;
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  IS(word == ((uint32_t)me() | FUTEX_OWNER_DIED));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(word);
  word = 0x3ffffffe;
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  word = 0;
  RET(futex(&word, FUTEX_LOCK_PI, 0, &wrong, NULL, 0));
  RET(futex(&word, FUTEX_LOCK_PI, 0, &past, NULL, 0));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(syscall(SYS_futex, (char*)&word + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  RET(syscall(SYS_futex, NULL, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  RET(syscall(SYS_futex, &word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
}

static void two(void) {
  struct timespec past = {1, 0};
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  pthread_t t = start(locks, NULL);
  until_waited();
  IS((word & FUTEX_TID_MASK) == (uint32_t)me());
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  until(1);
  RET(result);
  RET(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  RET(futex(&word, FUTEX_LOCK_PI, 0, &past, NULL, 0));
  RET(futex(&word, LOCK_PI2, 0, &past, NULL, 0));
  phase = 2;
  join(t);
  RET(word);
}

static void owner_ends(void) {
  phase = 0;
  pthread_t t = start(ends_with_the_lock, NULL);
  until(1);
  RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  IS((word & FUTEX_TID_MASK) == (uint32_t)me());
  RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  join(t);
  RET(word);
}

static void requeue(void) {
  struct timespec past = {1, 0};
  RET(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &word, ~0u));
  RET(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, &word, ~0u));
  RET(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, &condition, ~0u));
  RET(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, &word, 0));
  RET(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &word, 1));
  RET(futex(&condition, FUTEX_CMP_REQUEUE_PI, 2, NULL, &word, 0));
  RET(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &condition, 0));
  RET(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &word, 0));
  for (int held = 0; held < 2; held++) {
    phase = 0;
    if (held) RET(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    pthread_t t = start(waits_at_condition, NULL);
    until(1);
    long moved;
    while ((moved = futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &word, 0)) == 0)
      sched_yield();
    RET(moved);
    if (held) {
      IS((word & FUTEX_TID_MASK) == (uint32_t)me());
      RET(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    }
    join(t);
    RET(result);
    RET(word);
  }
}

int main(void) {
  alone();
  two();
  owner_ends();
  requeue();
  return done();
}
