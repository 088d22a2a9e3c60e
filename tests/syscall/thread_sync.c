// SPDX-License-Identifier: Apache-2.0
// Read-write locks, barriers, semaphores, spin locks, recursive and error-checking mutexes.
#include <semaphore.h>

#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int value, serial, torn;

static void* reader(void* unused) {
  for (int i = 0; i < 500; i++) {
    pthread_rwlock_rdlock(&lock);
    if (value % 2) torn++;
    pthread_rwlock_unlock(&lock);
  }
  return unused;
}

static void* writer(void* unused) {
  for (int i = 0; i < 500; i++) {
    pthread_rwlock_wrlock(&lock);
    value++;
    sched_yield();
    value++;
    pthread_rwlock_unlock(&lock);
  }
  return unused;
}

static void* meet(void* unused) {
  for (int i = 0; i < 50; i++)
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
      __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  return unused;
}

static void* post_later(void* unused) {
  pause_ms(30);
  sem_post(&semaphore);
  return unused;
}

int main(void) {
  pthread_t t[4];
  for (int i = 0; i < 4; i++)
    t[i] = start(i % 2 ? reader : writer, NULL);
  for (int i = 0; i < 4; i++)
    join(t[i]);
  RET(value);
  RET(torn);
  pthread_barrier_init(&barrier, NULL, 3);
  for (int i = 0; i < 3; i++)
    t[i] = start(meet, NULL);
  for (int i = 0; i < 3; i++)
    join(t[i]);
  RET(serial);
  sem_init(&semaphore, 0, 1);
  RET(sem_wait(&semaphore));
  RET(sem_trywait(&semaphore));
  t[0] = start(post_later, NULL);
  RET(sem_wait(&semaphore));
  join(t[0]);
  pthread_mutexattr_t a;
  pthread_mutex_t m;
  pthread_mutexattr_init(&a);
  pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&m, &a);
  RET(pthread_mutex_lock(&m));
  RET(pthread_mutex_lock(&m));
  RET(pthread_mutex_unlock(&m));
  RET(pthread_mutex_unlock(&m));
  SAY("%s", error_name(pthread_mutex_unlock(&m)));
  pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&m, &a);
  RET(pthread_mutex_lock(&m));
  SAY("%s", error_name(pthread_mutex_lock(&m)));
  RET(pthread_mutex_unlock(&m));
  return done();
}
