// SPDX-License-Identifier: Apache-2.0
// chmod(2), fchmod(2), chown(2), umask(2).
#include "check.h"

static void mode_of(const char* name) {
  struct stat st;
  if (lstat(name, &st) == 0) SAY("%s: %o", name, st.st_mode);
}

int main(void) {
  scratch();
  put("f", "");
  RET(chmod("f", 0600));
  mode_of("f");
  RET(chmod("f", 04755));
  mode_of("f");
  RET(chmod("f", 0177777));
  mode_of("f");
  mkdir("d", 0755);
  RET(chmod("d", 01777));
  mode_of("d");
  int fd = open("f", O_RDWR);
  RET(fchmod(fd, 0444));
  mode_of("f");
  RET(fchmod(99, 0644));
  RET(chmod("none", 0644));
  RET(chmod("f/x", 0644));
  RET(fchmodat(AT_FDCWD, "f", 0640, 0));
  mode_of("f");
  symlink("f", "s");
  RET(chmod("s", 0604));
  mode_of("f");
  RET(umask(027));
  RET(umask(022));
  RET(chown("f", getuid(), getgid()));
  RET(chown("f", (uid_t)-1, (gid_t)-1));
  RET(fchown(fd, getuid(), getgid()));
  RET(lchown("s", getuid(), getgid()));
  RET(fchownat(AT_FDCWD, "s", getuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW));
  RET(fchownat(fd, "", getuid(), (gid_t)-1, AT_EMPTY_PATH));
  RET(fchownat(AT_FDCWD, "s", getuid(), (gid_t)-1, 0x40));
  RET(chown("none", 0, 0));
  RET(fchown(99, 0, 0));
  umask(0);
  RET(open("m", O_CREAT | O_WRONLY, 0666) >= 0);
  mode_of("m");
  umask(0777);
  RET(open("n", O_CREAT | O_WRONLY, 0666) >= 0);
  mode_of("n");
  return done();
}
