// SPDX-License-Identifier: Apache-2.0
// access(2), faccessat(2), faccessat2(2).
#include "check.h"

int main(void) {
  scratch();
  put("f", "x");
  RET(access("f", F_OK));
  RET(access("f", R_OK | W_OK));
  RET(chmod("f", 0755));
  RET(access("f", X_OK));
  RET(access("none", F_OK));
  RET(access("f/x", F_OK));
  RET(access("f", 8));
  RET(access(NULL, F_OK));
  mkdir("d", 0755);
  int d = open("d", O_RDONLY);
  RET(faccessat(d, "../f", R_OK, 0));
  RET(faccessat(d, "none", R_OK, 0));
  RET(faccessat(d, "../f", R_OK, AT_EACCESS));
  symlink("none", "s");
  RET(faccessat(AT_FDCWD, "s", F_OK, 0));
  RET(faccessat(AT_FDCWD, "s", F_OK, AT_SYMLINK_NOFOLLOW));
  RET(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0x8000000));
  RET(syscall(SYS_faccessat2, d, "", F_OK, AT_EMPTY_PATH));
  RET(faccessat(99, "f", F_OK, 0));
  return done();
}
