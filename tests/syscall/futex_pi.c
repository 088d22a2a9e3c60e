// SPDX-License-Identifier: Apache-2.0
// futex(2), priority inheritance: pthread mutexes of that protocol use FUTEX_LOCK_PI.
#include "check.h"

static pthread_mutex_t mutex;
static long counter;

static void* add(void* unused) {
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

int main(void) {
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  RET(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
  RET(pthread_mutex_init(&mutex, &a));
  pthread_t t[3];
  for (int i = 0; i < 3; i++)
    t[i] = start(add, NULL);
  for (int i = 0; i < 3; i++)
    join(t[i]);
  RET(counter);
  RET(pthread_mutex_trylock(&mutex));
  RET(pthread_mutex_trylock(&mutex));
  RET(pthread_mutex_unlock(&mutex));
  return done();
}
