// SPDX-License-Identifier: Apache-2.0
// rename(2), renameat2(2): replacing, directories, flags, errors.
#include "check.h"

int main(void) {
  scratch();
  put("a", "from a");
  put("b", "from b");
  RET(rename("a", "b"));
  show("b");
  RET(access("a", F_OK));
  RET(rename("a", "b"));
  RET(rename("b", "b"));
  mkdir("d", 0755);
  mkdir("e", 0755);
  RET(rename("b", "d"));
  RET(rename("d", "b"));
  RET(rename("b", "d/b"));
  show("d/b");
  RET(rename("e", "d"));
  RET(rename("d", "e"));
  RET(access("e/b", F_OK));
  RET(access("d", F_OK));
  mkdir("e/in", 0755);
  RET(rename("e", "e/in/x"));
  RET(rename("e", "e/x"));
  RET(rename("none/x", "y"));
  RET(rename("e", "none/y"));
  RET(rename(".", "y"));
  RET(rename("e/in/..", "y"));
  RET(rename("e/b/", "y"));
  RET(rename("e/b", "y/"));
  RET(rename(NULL, "y"));
  RET(rename("e/b", ""));
  put("p", "p");
  put("q", "q");
  RET(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_NOREPLACE));
  RET(renameat2(AT_FDCWD, "p", AT_FDCWD, "r", RENAME_NOREPLACE));
  RET(renameat2(AT_FDCWD, "q", AT_FDCWD, "r", RENAME_EXCHANGE));
  show("q");
  show("r");
  RET(renameat2(AT_FDCWD, "q", AT_FDCWD, "none", RENAME_EXCHANGE));
  RET(renameat2(AT_FDCWD, "q", AT_FDCWD, "r", RENAME_EXCHANGE | RENAME_NOREPLACE));
  RET(renameat2(AT_FDCWD, "q", AT_FDCWD, "r", 0x100));
  RET(renameat2(AT_FDCWD, "q", AT_FDCWD, "e", RENAME_EXCHANGE));
  show("e");
  // Two names of one file: rename does nothing, and both stay.
  link("r", "r2");
  RET(rename("r", "r2"));
  RET(access("r", F_OK) + access("r2", F_OK));
  // The moved directory's parent changes.
  mkdir("x", 0755);
  mkdir("x/y", 0755);
  mkdir("z", 0755);
  put("z/mark", "here");
  RET(rename("x/y", "z/y"));
  show("z/y/../mark");
  symlink("nowhere", "s");
  RET(rename("s", "s2"));
  char b[16] = {0};
  RET(readlink("s2", b, 15));
  return done();
}
