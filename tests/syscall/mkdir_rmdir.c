// SPDX-License-Identifier: Apache-2.0
// mkdir(2), rmdir(2), mkdirat(2), unlinkat(2) with AT_REMOVEDIR.
#include "check.h"

int main(void) {
  scratch();
  struct stat st;
  RET(mkdir("d", 0777));
  RET(stat("d", &st));
  SAY("mode %o", st.st_mode);
  RET(mkdir("d", 0777));
  RET(mkdir("d/", 0777));
  RET(mkdir("e/", 0700));
  RET(mkdir("none/x", 0777));
  RET(mkdir("", 0777));
  RET(mkdir("/", 0777));
  RET(mkdir(".", 0777));
  put("f", "");
  RET(mkdir("f", 0777));
  RET(mkdir("f/x", 0777));
  RET(mkdir(NULL, 0777));
  RET(mkdir("d/sub", 0755));
  stat("d", &st);
  RET(rmdir("d"));
  RET(rmdir("d/sub"));
  RET(rmdir("d/."));
  RET(rmdir("d/sub/.."));
  RET(rmdir("d"));
  RET(rmdir("d"));
  RET(rmdir("f"));
  RET(rmdir("/"));
  RET(rmdir("f/x"));
  int here = open(".", O_RDONLY);
  RET(mkdirat(here, "m", 0755));
  RET(unlinkat(here, "m", 0));
  RET(unlinkat(here, "m", AT_REMOVEDIR));
  RET(unlinkat(here, "f", AT_REMOVEDIR));
  RET(unlinkat(here, "f", 0x1));
  RET(unlinkat(here, "f", 0));
  symlink("e", "s");
  RET(rmdir("s"));
  RET(mkdir("s", 0755));
  RET(mkdir("s/in", 0755));
  RET(access("e/in", F_OK));
  // A file made in a directory that is gone.
  RET(mkdir("g", 0755));
  RET(chdir("g"));
  RET(rmdir("../g"));
  RET(open("x", O_CREAT | O_WRONLY, 0644));
  RET(mkdir("y", 0755));
  return done();
}
