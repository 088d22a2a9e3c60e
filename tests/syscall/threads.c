// SPDX-License-Identifier: Apache-2.0
// pthreads over clone(2) and futex(2): create, join, detach, mutexes, conditions, once, keys, return values.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread int local = 7;
static long counter;
static int turn, destroyed, onces;

static void count_once(void) {
  onces++;
}
static void destroy(void* value) {
  __atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_SEQ_CST);
}

static void* add(void* number) {
  pthread_once(&once, count_once);
  pthread_setspecific(key, (void*)1);
  local += (int)(long)number;
  for (int i = 0; i < 5000; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
  }
  return (void*)(long)local;
}

static void* ping(void* mine) {
  for (int i = 0; i < 200; i++) {
    pthread_mutex_lock(&mutex);
    while (turn != (int)(long)mine)
      pthread_cond_wait(&condition, &mutex);
    turn = !turn;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void* nothing(void* a) {
  return a;
}

int main(void) {
  pthread_t t[8];
  pthread_key_create(&key, destroy);
  for (long i = 0; i < 8; i++)
    t[i] = start(add, (void*)i);
  long sum = 0;
  for (int i = 0; i < 8; i++) {
    void* value;
    pthread_join(t[i], &value);
    sum += (long)value;
  }
  RET(counter);
  RET(sum);
  RET(local);
  RET(destroyed);
  RET(onces);
  t[0] = start(ping, (void*)0), t[1] = start(ping, (void*)1);
  join(t[0]);
  join(t[1]);
  RET(turn);
  // Many short threads, joined and detached.
  int failed = 0;
  for (int i = 0; i < 300; i++) {
    if (pthread_create(&t[0], NULL, nothing, NULL)) failed++;
    if (i % 2)
      pthread_join(t[0], NULL);
    else
      pthread_detach(t[0]);
  }
  RET(failed);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 30000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  SAY("timedwait: %s", error_name(pthread_cond_timedwait(&condition, &mutex, &until)));
  SAY("timedlock: %s", error_name(pthread_mutex_timedlock(&mutex, &until)));
  pthread_mutex_unlock(&mutex);
  // A thread with a stack of its own size.
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  RET(pthread_attr_setstacksize(&attr, 1 << 20));
  RET(pthread_create(&t[0], &attr, nothing, NULL));
  RET(pthread_join(t[0], NULL));
  char name[16] = "";
  RET(pthread_setname_np(pthread_self(), "renamed"));
  RET(pthread_getname_np(pthread_self(), name, sizeof name));
  SAY("%s", name);
  return done();
}
