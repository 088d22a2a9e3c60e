// SPDX-License-Identifier: Apache-2.0
// What processes and threads held is free again after their end: many at once, many one after another, with memory,
// descriptors, threads, by exit and by a signal. Linux keeps more caches of its own than this allows for.
// run: guest processes=fork memory=128M
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "check.h"

enum { kAtOnce = 400, kWarmUp = 40, kRounds = 3, kInTurn = 3000, kThreads = 200 };

static long free_kib(void) {
  struct sysinfo info;
  sysinfo(&info);
  return (long)((info.freeram + info.bufferram) * info.mem_unit / 1024);
}

// What is freed late (deferred work) has its time; what is lost stays lost.
static int returned(long before) {
  for (int i = 0; i < 500; ++i) {
    if (free_kib() >= before - 1024) return 1;
    usleep(10000);
  }
  fprintf(stderr, "free before %ld KiB, after %ld\n", before, free_kib());
  return 0;
}

static void hold_something(void) {
  char* p = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 1, 1 << 14);
  int fds[2];
  if (pipe(fds) == 0) write(fds[1], p, 100);
}

static int at_once(int count) {
  static pid_t pids[kAtOnce];
  int made = 0, ended = 0;
  for (int i = 0; i < count; ++i) {
    pids[i] = fork();
    if (pids[i] == 0) {
      hold_something();
      for (;;)
        pause();
    }
    made += pids[i] > 0;
  }
  for (int i = 0; i < count; ++i)
    if (pids[i] > 0) kill(pids[i], SIGKILL);
  while (wait(0) > 0)
    ended++;
  return made == count && ended == count;
}

static int one_after_another(void) {
  int ended = 0;
  for (int i = 0; i < kInTurn; ++i) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    int status;
    ended += waitpid(pid, &status, 0) == pid && status == 0;
  }
  return ended == kInTurn;
}

static pthread_barrier_t all_there;
static void* meet(void* unused) {
  pthread_barrier_wait(&all_there);
  return unused;
}
static int many_threads(void) {
  static pthread_t threads[kThreads];
  pthread_barrier_init(&all_there, 0, kThreads);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 1 << 16);
  int made = 0, joined = 0;
  for (int i = 0; i < kThreads; ++i)
    made += pthread_create(&threads[i], &small, meet, 0) == 0;
  for (int i = 0; i < kThreads; ++i)
    joined += pthread_join(threads[i], 0) == 0;
  return made == kThreads && joined == kThreads;
}

// Sixteen children of a process with half of the memory read all of it and write a page each, all at once.
static int children_share(void) {
  enum { kSize = 64 << 20, kChildren = 16 };
  char* p = mmap(0, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < kSize; i += 4096)
    p[i] = (char)(i >> 12);
  long before = free_kib();
  int ready[2], go[2], good = 0;
  pipe(ready), pipe(go);
  for (int i = 0; i < kChildren; ++i) {
    if (fork() != 0) continue;
    int same = 1;
    for (size_t j = 0; j < kSize; j += 4096)
      same &= p[j] == (char)(j >> 12);
    p[4096 * i] = 'x';
    char c = same ? 'y' : 'n';
    write(ready[1], &c, 1);
    read(go[0], &c, 1);
    _exit(0);
  }
  for (int i = 0; i < kChildren; ++i) {
    char c = 0;
    read(ready[0], &c, 1);
    good += c == 'y';
  }
  long used = before - free_kib();
  for (int i = 0; i < kChildren; ++i)
    write(go[1], "x", 1);
  while (wait(0) > 0) {
  }
  munmap(p, kSize);
  close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
  if (used >= 4096) fprintf(stderr, "%ld KiB for the children\n", used);
  return good == kChildren && used < 4096;
}

int main(void) {
  // Fills the kernel's caches, and the C library's of stacks.
  if (!many_threads() || !at_once(kWarmUp)) return 2;
  usleep(200000);
  long before = free_kib();
  for (int i = 0; i < kRounds; ++i)
    IS(at_once(kAtOnce));
  IS(returned(before));
  IS(one_after_another());
  IS(returned(before));
  IS(many_threads());
  IS(returned(before));
  IS(children_share());
  IS(returned(before));
  return check_failures != 0;
}
