// SPDX-License-Identifier: Apache-2.0
// PIDFD_GET_INFO (ioctl of a pidfd), and pidfd_send_signal(2) on a directory of /proc.
// run: processes=fork
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "check.h"

struct info {
  uint64_t mask, cgroup;
  uint32_t pid, leader, parent, uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
#define GET_INFO _IOWR(0xff, 11, struct info)
#define GET_TOO_LITTLE _IOWR(0xff, 11, uint32_t)

static long tell(int fd, int number, unsigned flags) {
  return syscall(SYS_pidfd_send_signal, fd, number, NULL, flags);
}

int main(void) {
  int gate[2];
  pipe(gate);
  pid_t pid = fork();
  if (pid == 0) {
    char byte;
    read(gate[0], &byte, 1);
    _exit(5);
  }
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), null = open("/dev/null", O_RDONLY);
  struct info info = {.mask = 3};
  RET(ioctl(pidfd, GET_INFO, &info));
  IS((info.mask & 3) == 3 && info.pid == (uint32_t)pid && info.leader == (uint32_t)pid);
  IS(info.parent == (uint32_t)getpid() && info.uid == getuid() && info.fsgid == getgid());
  RET(ioctl(pidfd, GET_INFO, NULL));
  IS(ioctl(pidfd, GET_TOO_LITTLE, &info) < 0);
  IS(ioctl(null, GET_INFO, &info) < 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d", pid);
  int directory = open(path, O_RDONLY | O_DIRECTORY);
  RET(tell(directory, 0, 0));
  RET(tell(directory, 0, 77777));
  RET(tell(null, 0, 0));
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  RET(tell(open(path, O_RDONLY | O_DIRECTORY), 0, 0));
  write(gate[1], "x", 1);
  waitpid(pid, NULL, 0);
  RET(tell(directory, 0, 0));
  info.mask = 8;
  RET(ioctl(pidfd, GET_INFO, &info));
  SAY("mask %llx, status %d", (unsigned long long)info.mask & 11, WEXITSTATUS(info.exit_code));
  info.mask = 3;
  RET(ioctl(pidfd, GET_INFO, &info));
  return done();
}
