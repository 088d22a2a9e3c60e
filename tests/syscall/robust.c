// SPDX-License-Identifier: Apache-2.0
// set_robust_list(2): a mutex whose owner died says so.
#include "check.h"

static pthread_mutex_t mutex;

static void* die_with_it(void* unused) {
  pthread_mutex_lock(&mutex);
  return unused;
}

static void* try_it(void* unused) {
  SAY("second: %s", error_name(pthread_mutex_lock(&mutex)));
  pthread_mutex_consistent(&mutex);
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  RET(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
  RET(pthread_mutex_init(&mutex, &a));
  join(start(die_with_it, NULL));
  join(start(try_it, NULL));
  RET(pthread_mutex_lock(&mutex));
  RET(pthread_mutex_unlock(&mutex));
  join(start(die_with_it, NULL));
  SAY("first: %s", error_name(pthread_mutex_lock(&mutex)));
  RET(pthread_mutex_unlock(&mutex));
  SAY("not recovered: %s", error_name(pthread_mutex_lock(&mutex)));
  void* head = NULL;
  size_t size = 0;
  RET(syscall(SYS_get_robust_list, 0, &head, &size));
  RET(size);
  IS(head != NULL);
  RET(syscall(SYS_set_robust_list, head, 5));
  RET(syscall(SYS_set_robust_list, head, size));
  return done();
}
