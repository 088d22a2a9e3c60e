// SPDX-License-Identifier: Apache-2.0
// ioprio_set(2), ioprio_get(2): kept for each thread, handed down to what it makes.
// run: processes=fork
#include <sys/wait.h>
#include "check.h"

#define VALUE(class, level) ((class) << 13 | (level))

static long set(int which, int who, int value) {
  return syscall(SYS_ioprio_set, which, who, value);
}
static long get(int which, int who) {
  return syscall(SYS_ioprio_get, which, who);
}

static void* thread(void* own) {
  SAY("a new thread has %ld", get(1, 0));
  RET(set(1, 0, VALUE(3, 0)));
  *(int*)own = (int)get(1, 0);
  return NULL;
}

int main(void) {
  RET(set(1, 0, VALUE(2, 3)));
  RET(get(1, 0));
  RET(get(1, getpid()));
  int other = 0;
  join(start(thread, &other));
  SAY("the thread had %d, this one %ld", other, get(1, 0));
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    SAY("a child has %ld", get(1, 0));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  RET(set(1, 0, VALUE(0, 0)));
  RET(get(1, 0));
  RET(set(1, 0, VALUE(0, 3)));
  RET(set(1, 0, VALUE(4, 0)));
  RET(set(1, 0, VALUE(1, 2)));
  RET(get(1, 0));
  RET(set(0, 0, VALUE(2, 0)));
  RET(get(4, 0));
  RET(get(1, 99999));
  RET(set(1, 99999, VALUE(2, 0)));
  RET(get(2, 99999));
  return done();
}
