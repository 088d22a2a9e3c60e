// SPDX-License-Identifier: Apache-2.0
// run: processes=fork cpus=2
// What a processor has cached of a process's memory is out of date when the process comes back to it: changed by
// another process, or by the process itself from another processor, while a third one ran there.
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

static const size_t kPage = 4096;

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) sched_yield();  // a machine with one processor
}

static sigjmp_buf fault;
static void on_bus(int n) {
  siglongjmp(fault, n);
}

// The child has read a page of a shared file; the parent cuts the file; the child must fault.
static int cut_by_another(void) {
  const int fd = memfd_create("cut", 0);
  if (ftruncate(fd, 4 * (off_t)kPage) != 0) return 1;
  volatile char* shared = mmap(NULL, 4 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int up[2], down[2];
  if (pipe(up) != 0 || pipe(down) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    char c;
    signal(SIGBUS, on_bus);
    int seen = shared[0] + shared[kPage];
    if (write(up[1], "x", 1) != 1 || read(down[0], &c, 1) != 1) _exit(9);
    if (sigsetjmp(fault, 1) != 0) _exit(0);
    seen += shared[kPage];
    _exit(1 + (seen & 1));
  }
  char c;
  if (read(up[0], &c, 1) != 1) return 1;
  int bad = ftruncate(fd, (off_t)kPage) != 0;
  bad |= write(down[1], "x", 1) != 1;
  int status;
  waitpid(child, &status, 0);
  munmap((void*)shared, 4 * kPage);
  close(fd);
  for (int i = 0; i < 2; ++i) {
    close(up[i]);
    close(down[i]);
  }
  return bad || status != 0;
}

// The process replaces a page from the second processor while the first runs somebody else.
static int replaced_from_elsewhere(void) {
  volatile unsigned char* page = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pin(0);
  page[0] = 1;
  sched_yield();
  pin(1);
  for (int i = 0; i < 3; ++i)
    sched_yield();
  if (mmap((void*)page, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
    return 1;
  const int fresh = page[0] == 0;
  page[0] = 2;
  pin(0);
  const int seen = page[0];
  munmap((void*)page, kPage);
  return !fresh || seen != 2;
}

int main(void) {
  // Others for both processors, so that their caches do not just stay as they are.
  pid_t others[2];
  for (int i = 0; i < 2; ++i) {
    others[i] = fork();
    if (others[i] == 0) {
      pin(i);
      for (;;)
        sched_yield();
    }
  }
  int bad = 0;
  for (int i = 0; i < 50; ++i)
    bad += cut_by_another();
  SAY("cut by another: %d bad", bad);
  bad = 0;
  for (int i = 0; i < 50; ++i)
    bad += replaced_from_elsewhere();
  SAY("replaced from elsewhere: %d bad", bad);
  for (int i = 0; i < 2; ++i) {
    kill(others[i], SIGKILL);
    waitpid(others[i], NULL, 0);
  }
  return 0;
}
