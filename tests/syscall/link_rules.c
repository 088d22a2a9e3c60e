// SPDX-License-Identifier: Apache-2.0
// linkat(2) of files without a name: O_TMPFILE, O_EXCL, AT_EMPTY_PATH, and of one that has lost its last.
#include "check.h"

static char path[64];

static const char* proc(int fd) {
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}

static long links(int fd) {
  struct stat st;
  return fstat(fd, &st) ? -1 : (long)st.st_nlink;
}

int main(void) {
  scratch();
  int fd = open(".", O_TMPFILE | O_RDWR, 0600);
  IS(fd >= 0);
  RET(write(fd, "hidden", 6));
  RET(links(fd));
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  RET(links(fd));
  show("named");
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "second", AT_SYMLINK_FOLLOW));
  RET(unlink("named"));
  RET(unlink("second"));
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "third", AT_SYMLINK_FOLLOW));
  fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
  put("plain", "x");
  fd = open("plain", O_RDONLY);
  unlink("plain");
  RET(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
  RET(linkat(AT_FDCWD, "", AT_FDCWD, "again", AT_EMPTY_PATH | 1));
  RET(linkat(AT_FDCWD, "absent", AT_FDCWD, "again", 0));
  RET(mkdir("d", 0700));
  RET(linkat(AT_FDCWD, "d", AT_FDCWD, "e", 0));
  RET(open("d", O_TMPFILE | O_RDONLY, 0600));
  RET(open("again", O_TMPFILE | O_RDWR, 0600));
  return done();
}
