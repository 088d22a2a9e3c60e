// SPDX-License-Identifier: Apache-2.0
// Priority inheritance at work on one processor: a thread of low real-time priority holds a lock, one of middle
// priority computes until the lock has been passed on, one of high priority waits for the lock. Without inheritance
// the low one would never run again. Who may not set real-time policies says the same without trying.
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "check.h"

static pthread_mutex_t mutex;
static sem_t held, go_on, low_may_end;
static atomic_int passed_on, gave_up;

static pthread_t start_at(int priority, void* (*function)(void*)) {
  pthread_attr_t a;
  struct sched_param p = {.sched_priority = priority};
  pthread_t t;
  pthread_attr_init(&a);
  pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&a, SCHED_FIFO);
  pthread_attr_setschedparam(&a, &p);
  int error = pthread_create(&t, &a, function, NULL);
  if (error) SAY("pthread_create: %s", error_name(error));
  return t;
}

static void* low(void* unused) {
  pthread_mutex_lock(&mutex);
  sem_post(&held);
  sem_wait(&go_on);
  pthread_mutex_unlock(&mutex);
  sem_wait(&low_may_end);
  return unused;
}

static void* middle(void* unused) {
  const double end = seconds_now() + 20;
  sem_post(&go_on);
  while (!passed_on && !gave_up)
    if (seconds_now() > end) gave_up = 1;
  return unused;
}

static void* high(void* unused) {
  pthread_mutex_lock(&mutex);
  passed_on = 1;
  pthread_mutex_unlock(&mutex);
  return unused;
}

static int try_it(void) {
  cpu_set_t one;
  struct sched_param p = {.sched_priority = 10}, zero = {0};
  if (sched_setscheduler(0, SCHED_FIFO, &p)) return errno == EPERM;
  sched_getaffinity(0, sizeof one, &one);
  for (int i = 0, kept = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &one) && kept++) CPU_CLR(i, &one);
  sched_setaffinity(0, sizeof one, &one);
  pthread_t a = start_at(1, low);
  sem_wait(&held);
  pthread_t c = start_at(3, high), b = start_at(2, middle);
  pthread_join(c, NULL);
  pthread_join(b, NULL);
  sem_post(&low_may_end);
  pthread_join(a, NULL);
  sched_setscheduler(0, SCHED_OTHER, &zero);
  return passed_on && !gave_up;
}

int main(void) {
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  RET(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
  RET(pthread_mutex_init(&mutex, &a));
  sem_init(&held, 0, 0);
  sem_init(&go_on, 0, 0);
  sem_init(&low_may_end, 0, 0);
  IS(try_it());
  return done();
}
