// SPDX-License-Identifier: Apache-2.0
// process_mrelease(2): the memory of a process that is being killed goes at once.
// run: guest processes=fork
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "check.h"

enum { kPages = 64, kPage = 4096 };

static long release(int pidfd, unsigned flags) {
  return syscall(SYS_process_mrelease, pidfd, flags);
}

static long resident(pid_t pid) {
  char path[64];
  long pages = -1;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE* file = fopen(path, "r");
  if (fscanf(file, "%*d %ld", &pages) != 1) pages = -1;
  fclose(file);
  return pages;
}

// A child that stands in its exit stop: killed, and its memory still there.
static pid_t dying_child(char* memory) {
  pid_t child = fork();
  if (child == 0) {
    memset(memory, 'x', kPages * kPage);
    raise(SIGSTOP);
    _exit(0);
  }
  return child;
}

int main(void) {
  char* memory = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* shared = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  strcpy(shared, "shared");
  pid_t child = dying_child(memory);
  int status;
  RET(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXIT));
  waitpid(child, &status, WUNTRACED);
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  IS(pidfd >= 0);
  RET(release(pidfd, 1));
  RET(release(-1, 0));
  RET(release(0, 0));
  RET(release(pidfd, 0));
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  RET(release(self, 0));
  char text[8] = "";
  struct iovec mine = {text, 7}, theirs = {memory, 7}, common = {shared, 7};
  RET(kill(child, SIGKILL));
  do {
    waitpid(child, &status, 0);
  } while (WIFSTOPPED(status) && status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8));
  RET(WIFSTOPPED(status));
  long before = resident(child);
  RET(process_vm_readv(child, &mine, 1, &theirs, 1, 0));
  SAY("%s", text);
  RET(release(pidfd, 0));
  IS(before - resident(child) >= kPages);
  RET(process_vm_readv(child, &mine, 1, &theirs, 1, 0));
  RET(process_vm_readv(child, &mine, 1, &common, 1, 0));
  SAY("%s", text);
  RET(release(pidfd, 0));
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  waitpid(child, &status, 0);
  SAY("killed by %d", WTERMSIG(status));
  RET(release(pidfd, 0));
  child = fork();
  if (child == 0) _exit(0);
  pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT);
  RET(release(pidfd, 0));
  waitpid(child, NULL, 0);
  RET(release(pidfd, 0));
  return done();
}
