// SPDX-License-Identifier: Apache-2.0
// chdir(2), fchdir(2), getcwd(2), chroot(2).
#include "check.h"

int main(void) {
  scratch();
  char b[256];
  size_t base = strlen(getcwd(b, sizeof b));
  mkdir("d", 0755);
  mkdir("d/e", 0755);
  put("f", "");
  RET(chdir("d/e"));
  RET(getcwd(b, sizeof b) != NULL);
  SAY("%s", b + base);
  RET(chdir(".."));
  getcwd(b, sizeof b);
  SAY("%s", b + base);
  int fd = open("e", O_RDONLY);
  RET(chdir("../.."));
  RET(fchdir(fd));
  getcwd(b, sizeof b);
  SAY("%s", strstr(b, "/d/"));
  RET(syscall(SYS_getcwd, b, 3));
  RET(syscall(SYS_getcwd, b, 0));
  RET(syscall(SYS_getcwd, NULL, 100));
  RET(chdir("/"));
  RET(syscall(SYS_getcwd, b, sizeof b));
  SAY("%s", b);
  RET(chdir(".."));
  getcwd(b, sizeof b);
  SAY("%s", b);
  RET(chdir(check_directory));
  RET(chdir("f"));
  RET(chdir("none"));
  RET(chdir(""));
  RET(chdir(NULL));
  RET(fchdir(99));
  int file = open("f", O_RDONLY);
  RET(fchdir(file));
  RET(rename("d", "renamed"));
  RET(fchdir(fd));
  getcwd(b, sizeof b);
  SAY("%s", strstr(b, "/renamed"));
  RET(rmdir("../e"));
  RET(syscall(SYS_getcwd, b, sizeof b));
  symlink("renamed", "../../s");
  return done();
}
