// SPDX-License-Identifier: Apache-2.0
// link(2), unlink(2), symlink(2), readlink(2): effects and errors.
#include "check.h"

int main(void) {
  scratch();
  char b[64];
  struct stat st;
  put("f", "content");
  mkdir("d", 0755);
  RET(link("f", "g"));
  RET(link("f", "g"));
  RET(link("none", "h"));
  RET(link("f", "none/h"));
  RET(link("d", "dd"));
  RET(link("f/", "h"));
  RET(stat("f", &st));
  SAY("links %ld", (long)st.st_nlink);
  RET(unlink("f"));
  show("g");
  RET(unlink("f"));
  RET(unlink("d"));
  RET(unlink("d/"));
  RET(unlink("g/"));
  RET(unlink(""));
  RET(unlink(NULL));
  RET(symlink("g", "s"));
  RET(symlink("g", "s"));
  RET(symlink("", "t"));
  RET(symlink("x", ""));
  RET(symlink("x", "none/y"));
  RET(readlink("s", b, sizeof b));
  RET(readlink("s", b, 0));
  RET(symlink("a-long-target", "long"));
  memset(b, '.', sizeof b);
  RET(readlink("long", b, 6));
  SAY("%.8s", b);
  RET(readlink("g", b, sizeof b));
  RET(readlink("none", b, sizeof b));
  RET(readlink("g/x", b, sizeof b));
  RET(readlink("s", NULL, 10));
  RET(linkat(AT_FDCWD, "s", AT_FDCWD, "ls", 0));
  RET(lstat("ls", &st));
  IS(S_ISLNK(st.st_mode));
  RET(linkat(AT_FDCWD, "s", AT_FDCWD, "lf", AT_SYMLINK_FOLLOW));
  RET(lstat("lf", &st));
  IS(S_ISREG(st.st_mode));
  RET(linkat(AT_FDCWD, "s", AT_FDCWD, "lx", 0x80));
  // The file lives on while it is open.
  int fd = open("g", O_RDWR);
  RET(unlink("g"));
  RET(unlink("lf"));
  RET(fstat(fd, &st));
  SAY("links %ld size %ld", (long)st.st_nlink, (long)st.st_size);
  RET(read(fd, b, 7));
  SAY("%.7s", b);
  // A long symbolic link does not fit in an inode.
  char target[200];
  memset(target, 't', 199);
  target[199] = 0;
  char back[256];
  RET(symlink(target, "big"));
  RET(readlink("big", back, sizeof back));
  IS(!memcmp(target, back, 199));
  RET(lstat("big", &st));
  SAY("size %ld", (long)st.st_size);
  // Forty links in a row are followed, more are not.
  put("end", "end of chain");
  symlink("end", "c0");
  for (int i = 1; i <= 45; i++) {
    char from[16], to[16];
    snprintf(from, sizeof from, "c%d", i);
    snprintf(to, sizeof to, "c%d", i - 1);
    symlink(to, from);
  }
  RET(access("c39", F_OK));
  RET(access("c45", F_OK));
  return done();
}
