// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// unshare(CLONE_FS) in a thread: its working directory, root and umask become its own, and its children's.
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/wait.h>
#include "check.h"

static pthread_barrier_t step;
static pid_t thread_id;

static const char* where(void) {
  static __thread char text[256];
  return getcwd(text, sizeof text) ? text : error_name(errno);
}

static const char* link_of(const char* path) {
  static char text[256];
  ssize_t n = readlink(path, text, sizeof text - 1);
  text[n < 0 ? 0 : n] = 0;
  return text;
}

static int same_fs(pid_t a, pid_t b) {
  return (int)syscall(SYS_kcmp, a, b, KCMP_FS, 0, 0);
}

static void* nested(void* unused) {
  SAY("a thread of the thread: %s, umask %03o", where(), umask(0));
  RET(chdir("/proc"));
  return unused;
}

static void* other(void* unused) {
  thread_id = gettid();
  SAY("shared: %d", same_fs(getpid(), thread_id));
  RET(unshare(CLONE_FS));
  SAY("alone: %d", same_fs(getpid(), thread_id) != 0);
  RET(chdir("/"));
  umask(011);
  SAY("thread: %s", where());
  pthread_t t;
  pthread_create(&t, NULL, nested, NULL);
  pthread_join(t, NULL);
  SAY("after its thread: %s, umask %03o", where(), umask(022));
  RET(unshare(CLONE_FS));
  pid_t child = fork();
  if (child == 0) {
    SAY("child of the thread: %s, umask %03o", where(), umask(0));
    _exit(0);
  }
  waitpid(child, NULL, 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/cwd", thread_id);
  SAY("%s", link_of(path));
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  return unused;
}

static int clone_main(void* unused) {
  (void)unused;
  if (chdir("/") || umask(0) != 044) SAY("the clone began elsewhere");
  syscall(SYS_exit, 0);
  return 0;
}

int main(void) {
  RET(chdir("/tmp"));
  umask(044);
  pthread_barrier_init(&step, NULL, 2);
  pthread_t t;
  pthread_create(&t, NULL, other, NULL);
  pthread_barrier_wait(&step);
  SAY("main: %s, %s", where(), link_of("/proc/self/cwd"));
  umask(044);
  pthread_barrier_wait(&step);
  pthread_join(t, NULL);

  SAY("a thread made without CLONE_FS");
  static char stack[65536] __attribute__((aligned(16)));
  static volatile int gone = 1;
  int flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_CHILD_CLEARTID;
  IS(clone(clone_main, stack + sizeof stack, flags, NULL, NULL, NULL, &gone) > 0);
  while (gone)
    usleep(1000);
  SAY("main: %s, umask %03o", where(), umask(022));
  RET(unshare(CLONE_FS));
  RET(unshare(CLONE_FS | CLONE_SYSVSEM));
  return done();
}
