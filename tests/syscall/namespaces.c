// SPDX-License-Identifier: Apache-2.0
// /proc/self/ns (namespaces(7), ioctl_ns(2)), setns(2) into one's own, and name_to_handle_at(2)'s AT_HANDLE_FID.
#include <sched.h>
#include <sys/ioctl.h>
#include "check.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif
#define NS_GET_USERNS 0xb701
#define NS_GET_PARENT 0xb702
#define NS_GET_NSTYPE 0xb703
#define NS_GET_OWNER_UID 0xb704

static int handle(const char* path, int flags) {
  struct {
    struct file_handle head;
    char room[MAX_HANDLE_SZ];
  } h = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
  int mount;
  return name_to_handle_at(AT_FDCWD, path, &h.head, &mount, flags);
}

int main(void) {
  const char* names[] = {"uts", "ipc", "net", "mnt", "pid", "user", "cgroup"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    long got = readlink(path, text, sizeof text - 1);
    int fd = open(path, O_RDONLY);
    struct stat a, b;
    IS(fd >= 0 && !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino && S_ISREG(a.st_mode));
    SAY("%s: %.*s, %x", names[i], (int)(got > 0 ? strcspn(text, "0123456789") : 0), text, ioctl(fd, NS_GET_NSTYPE));
    close(fd);
  }
  int most = open("/proc/sys/user/max_user_namespaces", O_RDONLY);
  char digit = 0;
  IS(read(most, &digit, 1) == 1 && digit >= '0' && digit <= '9');
  int uts = open("/proc/self/ns/uts", O_RDONLY), null = open("/dev/null", O_RDONLY);
  RET(ioctl(uts, NS_GET_PARENT));
  RET(ioctl(uts, NS_GET_OWNER_UID, NULL));
  RET(setns(uts, 0));
  RET(setns(uts, CLONE_NEWUTS));
  RET(setns(uts, CLONE_NEWNET));
  RET(setns(null, 0));
  RET(setns(99, 0));
  RET(handle("/proc/filesystems", AT_HANDLE_FID));
  RET(handle("/proc/filesystems", AT_HANDLE_FID | 2));
  RET(handle("/proc/filesystems", 0x8000));
  return done();
}
