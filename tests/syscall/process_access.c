// SPDX-License-Identifier: Apache-2.0
// Looking into another process: process_vm_readv(2), kcmp(2), pidfd_getfd(2), getpriority(2) of a group.
// run: processes=fork
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "check.h"

static char area[8192] __attribute__((aligned(4096))) = "parent";
static int ready[2], go[2];

static long compare(pid_t a, pid_t b, int type, long x, long y) {
  long order = syscall(SYS_kcmp, a, b, type, x, y);
  return order > 0 ? 9 : order;  // which comes first is not told
}

static void child(void) {
  strcpy(area, "child");
  int fd = open("f", O_RDONLY);
  if (dup2(fd, 20) != 20) exit(1);
  write(ready[1], "x", 1);
  char byte;
  read(go[0], &byte, 1);
  SAY("the child has %s", area);
  exit(0);
}

int main(void) {
  scratch();
  put("f", "content");
  pipe(ready), pipe(go);
  pid_t pid = fork();
  if (pid == 0) child();
  char byte, buffer[64] = "";
  read(ready[0], &byte, 1);
  struct iovec mine[2] = {{buffer, 3}, {buffer + 3, 20}}, theirs = {area, 6}, bad = {(void*)16, 6};
  RET(process_vm_readv(pid, mine, 2, &theirs, 1, 0));
  SAY("read: %s; own: %s", buffer, area);
  strcpy(buffer, "written");
  struct iovec from = {buffer, 8}, to = {area, 8};
  RET(process_vm_writev(pid, &from, 1, &to, 1, 0));
  RET(process_vm_readv(pid, mine, 2, &bad, 1, 0));
  struct iovec half[2] = {{area, 3}, {(void*)16, 3}};
  RET(process_vm_readv(pid, mine, 2, half, 2, 0));
  RET(process_vm_readv(pid, mine, 2, &theirs, 1, 1));
  RET(process_vm_readv(99999, mine, 2, &theirs, 1, 0));
  RET(process_vm_readv(pid, mine, 2000, &theirs, 1, 0));
  int fd = open("f", O_RDONLY), copy = dup(fd);
  RET(compare(getpid(), getpid(), 0, fd, copy));
  RET(compare(getpid(), getpid(), 0, fd, 1));
  RET(compare(getpid(), getpid(), 0, fd, 77));
  for (int type = 1; type < 5; type++)
    RET(compare(getpid(), pid, type, 0, 0));
  RET(compare(getpid(), pid, 5, 0, 0));
  RET(compare(getpid(), pid, 99, 0, 0));
  RET(compare(getpid(), 99999, 1, 0, 0));
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  int got = (int)syscall(SYS_pidfd_getfd, pidfd, 20, 0);
  IS(got >= 0 && fcntl(got, F_GETFD) == FD_CLOEXEC);
  RET(compare(getpid(), pid, 0, got, 20));
  RET(read(got, buffer, 3));
  RET(lseek(got, 0, SEEK_CUR));
  RET(syscall(SYS_pidfd_getfd, pidfd, 50, 0));
  RET(syscall(SYS_pidfd_getfd, pidfd, 20, 1));
  RET(syscall(SYS_pidfd_getfd, fd, 20, 0));
  RET(getpriority(PRIO_PGRP, 0));
  RET(setpriority(PRIO_PROCESS, (id_t)pid, 5));
  RET(getpriority(PRIO_PROCESS, (id_t)pid));
  RET(getpriority(PRIO_PGRP, getpgrp()));
  errno = 0;
  IS(getpriority(PRIO_USER, 0) <= 0 && errno == 0);
  RET(getpriority(PRIO_PGRP, 99999));
  // Process 1 is root's.
  pid_t other = fork();
  if (other == 0) {
    (void)!setuid(1);
    void* head;
    size_t length;
    RET(syscall(SYS_get_robust_list, 1, &head, &length));
    RET(process_vm_readv(1, mine, 2, &theirs, 1, 0));
    RET(syscall(SYS_kcmp, getpid(), 1, 1, 0, 0));
    exit(0);
  }
  waitpid(other, NULL, 0);
  write(go[1], "x", 1);
  RET(waitpid(pid, NULL, 0) == pid);
  RET(syscall(SYS_pidfd_getfd, pidfd, 20, 0));
  return done();
}
